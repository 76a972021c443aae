import Tensors
import Testing

@testable import Normalization

/// Types that are others in disguise, with the right parameters.
@Suite struct IdentityTests {
    private typealias Parameters = [String: ParameterValue]

    private static let dimensions = [3, 4, 5, 7]

    private static let values: [Double] = {
        var generator = SeededGenerator(seed: 41)
        return (0..<dimensions.reduce(1, *)).map { _ in Double(Float(generator.normal() * 2 + 1)) }
    }()

    /// Frozen statistics, γ and β of four channels.
    private let frozen: Parameters
    private let affine: Parameters

    init() throws {
        self.affine = ["weight": try .vector([1, -0.5, 2, 0.25]), "bias": try .vector([0, 1, -1, 0.5])]
        self.frozen = self.affine.merging([
            "running_mean": try .vector([0.5, 1, 1.5, 2]), "running_var": try .vector([4, 1, 2, 0.5]),
        ]) { $1 }
    }

    private func apply(
        _ typeName: String,
        _ parameters: Parameters,
        _ more: Parameters,
        _ dataType: DataType
    ) throws -> [Double] {
        let named = parameters.merging(more) { $1 }.map { (ParameterName(rawValue: $0.key), $0.value) }
        let type = try #require(LayerType.named(typeName))
        let layer = try type.makeLayer(LayerParameters(Dictionary(uniqueKeysWithValues: named)))
        return try layer.apply(Self.values, Self.dimensions, dataType)
    }

    private func apply(_ typeName: String, _ parameters: Parameters, _ dataType: DataType) throws -> [Double] {
        try self.apply(typeName, parameters, [:], dataType)
    }

    /// Whether two results differ by no more than two ways of rounding the same.
    private func areClose(_ a: [Double], _ b: [Double], _ dataType: DataType) -> Bool {
        let tolerance = dataType == .fp64 ? 1e-14 : 2e-6
        return a.count == b.count && zip(a, b).allSatisfy { ($0 - $1).magnitude <= tolerance * max(1, $1.magnitude) }
    }

    @Test(arguments: [DataType.fp32, .fp64])
    func batchInstanceNormIsOneOrTheOther(dataType: DataType) throws {
        let byBatch = try apply("batch_instance_norm", frozen, ["rho": .vector([1, 1, 1, 1])], dataType)
        #expect(try areClose(byBatch, apply("batch_norm", frozen, dataType), dataType))
        let byInstance = try apply("batch_instance_norm", frozen, ["rho": .vector([0, 0, 0, 0])], dataType)
        #expect(try areClose(byInstance, apply("instance_norm", affine, dataType), dataType))
    }

    /// The softmax of one large logit leaves nothing to the others.
    @Test(arguments: [DataType.fp32, .fp64])
    func switchableNormIsOneOfThree(dataType: DataType) throws {
        func switched(_ logits: [Double]) throws -> [Double] {
            let logits = try ParameterValue.vector(logits)
            return try apply("switchable_norm", frozen, ["mean_weight": logits, "var_weight": logits], dataType)
        }
        #expect(try areClose(switched([1000, 0, 0]), apply("instance_norm", affine, dataType), dataType))
        let layer = try apply("group_norm", affine, ["num_groups": .integer(1)], dataType)
        #expect(try areClose(switched([0, 1000, 0]), layer, dataType))
        #expect(try areClose(switched([-1000, -1000, 0]), apply("batch_norm", frozen, dataType), dataType))
    }

    @Test(arguments: [DataType.fp32, .fp64])
    func batchRenormIsBatchNorm(dataType: DataType) throws {
        let running = try apply("batch_norm", frozen, dataType)
        #expect(try areClose(apply("batch_renorm", frozen, dataType), running, dataType))
        let ofBatch: Parameters = ["use_batch_statistics": .boolean(true)]
        // Without a limit the corrections undo the statistics of the batch.
        let unlimited = ofBatch.merging(["r_max": .real(1e6), "d_max": .real(1e6)]) { $1 }
        #expect(try areClose(apply("batch_renorm", frozen, unlimited, dataType), running, dataType))
        // And limits of 1 and 0 leave them alone.
        let limited = ofBatch.merging(["r_max": .real(1), "d_max": .real(0)]) { $1 }
        let batch = try apply("batch_norm", affine, ofBatch, dataType)
        #expect(try areClose(apply("batch_renorm", frozen, limited, dataType), batch, dataType))
    }

    /// `running_std` has eps in it already.
    @Test func batchRenormTakesDeviations() throws {
        let deviations = [4, 1, 2, 0.5].map { ($0 + 1e-5).squareRoot() }
        var parameters = self.frozen
        parameters["running_var"] = nil
        parameters["running_std"] = try .vector(deviations, .fp64)
        let results = try apply("batch_renorm", parameters, .fp64)
        #expect(try areClose(results, apply("batch_renorm", frozen, .fp64), .fp64))
    }

    @Test(arguments: [DataType.fp32, .fp64])
    func ownStyleChangesNothing(dataType: DataType) throws {
        let style = try Tensor(Self.values, Self.dimensions, dataType)
        for placement in ["variance", "std"] {
            let more: Parameters = ["epsilon_placement": .text(placement), "eps": .real(0.1)]
            let results = try apply("adaptive_instance_norm", ["style": .tensor(style)], more, dataType)
            #expect(areClose(results, Self.values, dataType), "\(placement)")
        }
    }

    @Test(arguments: [DataType.fp32, .fp64])
    func lengthOfItsOwnChangesNothing(dataType: DataType) throws {
        let x = ReferenceTensor(Self.dimensions, Self.values)
        for axis in Self.dimensions.indices {
            let norms = (0..<Self.dimensions[axis]).map { position in
                x.indices.filter { $0[axis] == position }.reduce(0) { $0 + x[$1] * x[$1] }.squareRoot()
            }
            let parameters: Parameters = ["weight_g": try .vector(norms, .fp64), "dim": .integer(axis)]
            #expect(try areClose(apply("weight_norm", parameters, dataType), Self.values, dataType), "dim \(axis)")
        }
        let norm = Self.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let parameters: Parameters = ["weight_g": try .vector([norm], .fp64), "dim": .null]
        #expect(try areClose(apply("weight_norm", parameters, dataType), Self.values, dataType))
    }

    @Test(arguments: [DataType.fp32, .fp64])
    func meanVarianceNormIsWhatItsAxesSay(dataType: DataType) throws {
        let epsilon: Parameters = ["eps": .real(0.01), "epsilon_placement": .text("std")]
        let others: [([Int]?, String, Parameters)] = [
            (nil, "batch_norm", ["use_batch_statistics": .boolean(true)]),
            ([0, 2, 3], "batch_norm", ["use_batch_statistics": .boolean(true)]),
            ([2, 3], "instance_norm", [:]), ([-1, -2], "instance_norm", [:]),
            ([1, 2, 3], "layer_norm", ["axis": .integer(1)]), ([3], "layer_norm", ["axis": .integer(3)]),
            ([3, 0, 1, 2], "layer_norm", ["axis": .integer(0)]),
            (
                [0, 1, 2], "batch_norm",
                ["use_batch_statistics": .boolean(true), "data_format": .text("channels_last")]
            ),
        ]
        for (axes, typeName, parameters) in others {
            var own: Parameters = ["eps": .real(0.01)]
            own["axes"] = axes.map { .integers($0) }
            let results = try apply("mean_variance_norm", own, dataType)
            let expected = try apply(typeName, parameters, epsilon, dataType)
            #expect(areClose(results, expected, dataType), "\(axes ?? []), \(typeName)")
        }
    }

    @Test(arguments: [DataType.fp32, .fp64])
    func othersAreEachOther(dataType: DataType) throws {
        for placement in ["variance", "std"] {
            let more: Parameters = ["epsilon_placement": .text(placement)]
            let filters = try apply("weight_standardization", [:], more, dataType)
            let samples = try apply("layer_norm", ["axis": .integer(1)], more, dataType)
            #expect(areClose(filters, samples, dataType), "\(placement)")
        }
        let responses = try apply("filter_response_norm", ["eps": .real(1e-3)], dataType)
        let rows = try apply("rms_norm", ["axis": .integer(2), "eps": .real(1e-3)], dataType)
        #expect(areClose(responses, rows, dataType))
        let unit = try apply("lp_norm", ["axis": .integer(3)], dataType).map { $0 * 7.0.squareRoot() }
        #expect(try areClose(unit, apply("rms_norm", ["axis": .integer(3), "eps": .real(0)], dataType), dataType))
        let means: Parameters = ["mean": try .vector([0.5, 1, 1.5, 2]), "std": try .vector([2, 1, 4, 0.5])]
        let statistics: Parameters = [
            "running_mean": try .vector([0.5, 1, 1.5, 2]), "running_var": try .vector([4, 1, 16, 0.25]),
            "eps": .real(0),
        ]
        let standardized = try apply("standardize", means, ["axis": .integer(-3)], dataType)
        #expect(try areClose(standardized, apply("batch_norm", statistics, dataType), dataType))
    }

    /// Global response normalization adds to its input, and with γ = β = 0, as it starts in training, adds nothing.
    @Test func globalResponseNormStartsAsIdentity() throws {
        let parameters: Parameters = ["weight": try .vector([0, 0, 0, 0]), "bias": try .vector([0, 0, 0, 0])]
        #expect(try apply("global_response_norm", parameters, .fp32) == Self.values)
    }

    /// What has unit length keeps it.
    @Test(arguments: [ParameterValue.integer(1), .integer(2), .text("inf")])
    func lpNormTwiceIsLpNormOnce(p: ParameterValue) throws {
        let once = try apply("lp_norm", ["p": p], .fp64)
        let type = try #require(LayerType.named("lp_norm"))
        let layer = try type.makeLayer(LayerParameters([ParameterName(rawValue: "p"): p]))
        #expect(try areClose(layer.apply(once, Self.dimensions, .fp64), once, .fp64))
    }
}
