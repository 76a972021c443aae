import Normalization
import Tensors
import Testing

@testable import NormalizationService

@Suite struct ModelSignatureTests {
    private func vector(_ count: Int) throws -> ParameterValue {
        let tensor = try Tensor(uninitialized: .fp32, shape: Shape([count]))
        tensor.elements(as: Float.self).update(repeating: 1)
        return .tensor(tensor)
    }

    private func geometry(
        _ type: String,
        _ values: [ParameterName: ParameterValue]
    ) throws -> (LayerGeometry, LayerType) {
        let type = try #require(LayerType.named(type))
        return (LayerGeometry(LayerDefinition(type, dataType: nil, values: values, untyped: [])), type)
    }

    private func signature(_ type: String, _ values: [ParameterName: ParameterValue] = [:]) throws -> ModelSignature {
        let (geometry, type) = try self.geometry(type, values)
        return ModelSignature(geometry, of: type, maximumElementCount: 1000)
    }

    @Test func layersOverChannels() throws {
        let values: [ParameterName: ParameterValue] = [
            .runningMean: try self.vector(3), .runningVar: try self.vector(3),
        ]
        let first = try self.signature("batch_norm", values)
        #expect(first.shape == [-1, 3, -1])
        #expect(first.sampleShape == [3, -1])
        #expect(first.maximumBatchSize == 1000)
        let last = try self.signature("batch_norm", values.merging([.dataFormat: .text("channels_last")]) { $1 })
        #expect(last.shape == [-1, -1, 3])
        #expect(try self.signature("instance_norm").shape == [-1, -1, -1])
    }

    @Test func layersOverRows() throws {
        for (dimensions, shape) in [([4], [-1, 4]), ([2, 4], [-1, 2, 4]), ([2, 2, 2, 4], [-1, 2, 2, 2, 4])] {
            #expect(try self.signature("layer_norm", [.normalizedShape: .integers(dimensions)]).shape == shape)
        }
        #expect(try self.signature("rms_norm", [.axis: .integer(-1)]).shape == [-1, -1])
        // All five dimensions are the sample's: there is no room for a batch.
        let full = try self.signature("layer_norm", [.normalizedShape: .integers([1, 2, 3, 4, 5])])
        #expect(full.shape == [1, 2, 3, 4, 5])
        #expect(full.maximumBatchSize == 0)
        #expect(full.sampleShape == full.shape)
    }

    @Test func layersOverAnAxis() throws {
        let values: [ParameterName: ParameterValue] = [.mean: try self.vector(3), .std: try self.vector(3)]
        for (axis, shape, isBatched) in [
            (-1, [-1, 3], true), (1, [-1, 3], true), (-2, [-1, 3, -1], true), (0, [3, -1], false),
        ] {
            let signature = try self.signature("standardize", values.merging([.axis: .integer(axis)]) { $1 })
            #expect(signature.shape == shape)
            #expect((signature.maximumBatchSize > 0) == isBatched)
        }
    }

    @Test(arguments: ["weight_norm", "spectral_norm", "weight_standardization"])
    func aWeightIsNoBatch(type: String) throws {
        let signature = try self.signature(type)
        #expect(signature.maximumBatchSize == 0)
        #expect(signature.shape == [-1, -1])
        #expect(signature.sampleShape == [-1, -1])
    }

    @Test("Every type announces a rank that it takes")
    func ranks() throws {
        for type in LayerType.all {
            let (geometry, _) = try self.geometry(type.name, [:])
            #expect(geometry.ranks.contains(try self.signature(type.name).shape.count), "\(type.name)")
        }
    }

    @Test func theLimitIsThatOfTheProtocolBuffer() throws {
        let (geometry, type) = try self.geometry("instance_norm", [:])
        let signature = ModelSignature(geometry, of: type, maximumElementCount: .max)
        #expect(signature.maximumBatchSize == Int(Int32.max))
    }

    @Test(
        "The shape of a raw sample follows from its bytes, or does not",
        arguments: [(16, [1, 4]), (0, nil), (15, nil), (32, nil), (8, nil)] as [(Int, [Int]?)]
    )
    func rawSamplesOfKnownShape(byteCount: Int, shape: [Int]?) throws {
        let signature = try self.signature("layer_norm", [.normalizedShape: .integers([4])])
        #expect(signature.shape(byteCount: byteCount, of: .fp32)?.dimensions == shape)
    }

    @Test(arguments: [(24, [1, 3, 4]), (0, [1, 3, 0]), (6, [1, 3, 1]), (7, nil), (8, nil)] as [(Int, [Int]?)])
    func rawSamplesOfOneFreeDimension(byteCount: Int, shape: [Int]?) throws {
        let signature = try self.signature("instance_norm", [.weight: try self.vector(3)])
        #expect(signature.shape(byteCount: byteCount, of: .fp16)?.dimensions == shape)
    }

    @Test func rawSamplesOfTwoFreeDimensions() throws {
        #expect(try self.signature("instance_norm").shape(byteCount: 16, of: .fp32) == nil)
        #expect(try self.signature("spectral_norm").shape(byteCount: 16, of: .fp32) == nil)
    }

    @Test func nothingOverflows() throws {
        let huge = try self.signature("layer_norm", [.normalizedShape: .integers([1 << 40, 1 << 40])])
        #expect(huge.shape(byteCount: 16, of: .fp32) == nil)
        let large = try self.signature("layer_norm", [.normalizedShape: .integers([1 << 62])])
        #expect(large.shape(byteCount: 16, of: .fp64) == nil)
        let none = try self.signature("instance_norm", [.weight: try self.vector(0)])
        #expect(none.shape(byteCount: 0, of: .fp32) == nil)
    }

    @Test(arguments: [([7, 3, 2], 7), ([7, 3], 7), ([0, 3, 1], 0)])
    func samplesAreCounted(dimensions: [Int], count: Int) throws {
        let (geometry, _) = try self.geometry("instance_norm", [.weight: try self.vector(3)])
        #expect(geometry.batchSize(of: try Shape(dimensions)) == count)
        let (row, _) = try self.geometry("layer_norm", [.normalizedShape: .integers([2, 3])])
        #expect(row.batchSize(of: try Shape([2, 3])) == 1)
        #expect(row.batchSize(of: try Shape([5, 2, 3])) == 5)
        #expect(row.batchSize(of: try Shape([3])) == 1)
    }
}
