import Normalization
import Tensors
import Testing

@testable import NormalizationService

@Suite struct LayerGeometryTests {
    private static func vector(_ count: Int) throws -> ParameterValue {
        let tensor = try Tensor(uninitialized: .fp32, shape: Shape([count]))
        tensor.elements(as: Float.self).update(repeating: 1)
        return .tensor(tensor)
    }

    /// Layers with parameters of 6 elements along axes that the geometry is to know.
    private static func definitions() throws -> [LayerDefinition] {
        let six = try Self.vector(6)
        let matrix = try Tensor(uninitialized: .fp32, shape: Shape([4, 6]))
        matrix.elements(as: Float.self).update(repeating: 1)
        let running: [ParameterName: ParameterValue] = [.runningMean: six, .runningVar: six]
        let logits: [ParameterName: ParameterValue] = [.meanWeight: try Self.vector(3), .varWeight: try Self.vector(3)]
        let parameters: [(String, [ParameterName: ParameterValue])] = [
            ("batch_norm", running), ("batch_norm", running.merging([.dataFormat: .text("channels_last")]) { $1 }),
            ("batch_norm", [.useBatchStatistics: .boolean(true)]),
            ("layer_norm", [.normalizedShape: .integers([4, 6])]),
            ("layer_norm", [.normalizedShape: .integer(6)]), ("layer_norm", [.axis: .integer(-1), .weight: six]),
            ("layer_norm", [.axis: .integer(-2), .weight: .tensor(matrix)]), ("layer_norm", [.axis: .integer(1)]),
            ("instance_norm", [.bias: six]), ("group_norm", [.groupCount: .integer(2), .weight: six]),
            ("rms_norm", [.normalizedShape: .integers([6])]), ("batch_renorm", running),
            ("batch_instance_norm", running.merging([.rho: six]) { $1 }),
            ("switchable_norm", running.merging(logits) { $1 }),
            ("adaptive_instance_norm", [.styleMean: six, .styleStd: six]), ("weight_norm", [.weightG: six]),
            ("weight_norm", [.weightG: six, .dim: .integer(-1)]),
            ("weight_norm", [.weightG: try Self.vector(1), .dim: .null]),
            ("spectral_norm", [:]), ("standardize", [.mean: six, .std: six]),
            ("standardize", [.mean: six, .std: six, .axis: .integer(2)]),
            ("mean_variance_norm", [.axes: .integers([0])]),
            ("lp_norm", [:]), ("local_response_norm", [.size: .integer(3)]), ("filter_response_norm", [.tau: six]),
            ("global_response_norm", [.weight: six]), ("weight_standardization", [.gain: six]),
            ("dynamic_tanh", [.alpha: .real(1), .weight: six]),
        ]
        #expect(Set(parameters.map(\.0)) == Set(LayerType.all.map(\.name)))
        return try parameters.map { name, values in
            LayerDefinition(try #require(LayerType.named(name)), dataType: nil, values: values, untyped: [])
        }
    }

    @Test("What the geometry says is taken, and only that: by rank, and by the lengths that it knows")
    func itSaysWhatIsTaken() throws {
        for definition in try Self.definitions() {
            let layer = try PreparedLayer(definition)
            let geometry = layer.geometry
            for rank in 1...6 {
                let shape = geometry.shape(rank: rank).map { $0 < 0 ? 6 : $0 }
                let isTaken = (try? layer.single.plan(for: Shape(shape))) != nil
                #expect(isTaken == geometry.ranks.contains(rank), "\(definition.type.name), \(shape)")
            }
            for rank in geometry.ranks {
                let known = geometry.shape(rank: rank)
                for axis in known.indices where known[axis] >= 0 {
                    var shape = known.map { $0 < 0 ? 6 : $0 }
                    shape[axis] += 2
                    #expect((try? layer.single.plan(for: Shape(shape))) == nil, "\(definition.type.name), \(shape)")
                }
            }
        }
    }

    @Test func extremeAxesAreNoTrap() throws {
        for axis in [Int.min, Int.min + 1, -7, 7, Int.max - 1, Int.max] {
            for (type, values) in [
                ("standardize", [.mean: try Self.vector(1), .std: try Self.vector(1)]), ("layer_norm", [:]),
            ]
                as [(String, [ParameterName: ParameterValue])]
            {
                let values = values.merging([.axis: .integer(axis)]) { $1 }
                let definition = LayerDefinition(
                    try #require(LayerType.named(type)),
                    dataType: nil,
                    values: values,
                    untyped: []
                )
                #expect(try PreparedLayer(definition).geometry.shape(rank: 4).count == 4)
            }
        }
    }
}
