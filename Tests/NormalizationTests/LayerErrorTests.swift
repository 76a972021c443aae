import Tensors
import Testing

@testable import Normalization

/// Each rule that parameters and inputs can violate, and what is said about it.
@Suite struct LayerErrorTests {
    private typealias Parameters = [ParameterName: ParameterValue]

    /// The error that making the layer and normalizing a tensor of zeros ends with.
    private func error(
        _ typeName: String,
        _ parameters: Parameters,
        _ dimensions: [Int] = [1, 2, 3],
        into outputType: DataType = .fp32
    ) throws -> LayerError? {
        let type = try #require(LayerType.named(typeName))
        let input = try Tensor([Double](repeating: 0, count: dimensions.reduce(1, *)), dimensions)
        do {
            _ = try type.makeLayer(LayerParameters(parameters)).normalize(input, into: outputType)
            return nil
        } catch {
            return error
        }
    }

    private func frozen(mean: Int = 2, variance: [Double] = [1, 1], _ more: Parameters = [:]) throws -> Parameters {
        let statistics: Parameters = [
            .runningMean: try .vector([Double](repeating: 0, count: mean)), .runningVar: try .vector(variance),
        ]
        return statistics.merging(more) { $1 }
    }

    @Test func unknownParameter() throws {
        let name = ParameterName(rawValue: "runing_mean")
        let error = try error("batch_norm", frozen([name: .real(1)]))
        #expect(error == .unknownParameter(name, layerType: "batch_norm"))
        #expect(error?.description == "batch_norm has no parameter runing_mean")
        #expect(error?.parameter == name)
        #expect(try self.error("rms_norm", [.axis: .integer(-1), .bias: .vector([1])])?.parameter == .bias)
    }

    @Test func missingParameter() throws {
        #expect(
            try error("batch_norm", [:]) == .missingParameter(.runningMean, substitute: .useBatchStatistics)
        )
        #expect(
            try error("batch_norm", [.runningMean: .vector([0, 0]), .useBatchStatistics: .boolean(false)])
                == .missingParameter(.runningVar, substitute: .useBatchStatistics)
        )
        #expect(try error("layer_norm", [:])?.description == "normalized_shape or axis is required")
        #expect(try error("group_norm", [:])?.description == "num_groups is required")
        #expect(
            try error("instance_norm", [.useRunningStatistics: .boolean(true)]) == .missingParameter(.runningMean)
        )
    }

    @Test(arguments: LayerType.all.map(\.name))
    func wrongKindOfEachParameter(typeName: String) throws {
        let type = try #require(LayerType.named(typeName))
        for specification in type.parameters {
            let wrong: ParameterValue =
                switch specification.kind {
                case .tensor, .integer, .integers: .text("x")
                case .real, .boolean: .integers([1])
                case .choice, .integerOrNull: .real(1)
                case .realOrWord, .realOrTensor: .boolean(true)
                }
            var parameters = Parameters()
            for required in type.parameters where required.isRequired {
                parameters[required.name] =
                    switch required.kind {
                    case .tensor: try .vector([1, 1])
                    case .integers: .integers([3])
                    default: .integer(1)
                    }
            }
            parameters[specification.name] = wrong
            let error = try error(typeName, parameters)
            #expect(error == .wrongKind(specification.name, expected: specification.kind))
        }
    }

    @Test func unknownChoice() throws {
        let error = try error("batch_norm", frozen([.dataFormat: .text("NHWC")]))
        #expect(
            error?.description
                == "data_format is \"NHWC\"; it must be one of \"channels_first\", \"channels_last\""
        )
    }

    @Test func conflictingParameters() throws {
        let error = try error("layer_norm", [.normalizedShape: .integers([3]), .axis: .integer(-1)])
        #expect(error?.description == "normalized_shape and axis exclude each other; give one of them")
    }

    @Test(arguments: [-1, .nan, .infinity])
    func invalidEpsilon(epsilon: Double) throws {
        for (typeName, parameters) in [
            ("batch_norm", try frozen()), ("instance_norm", [:]), ("rms_norm", [.axis: .integer(-1)]),
        ] {
            let error = try error(typeName, parameters.merging([.epsilon: .real(epsilon)]) { $1 })
            #expect(error?.parameter == .epsilon)
        }
    }

    @Test func groups() throws {
        #expect(
            try error("group_norm", [.groupCount: .integer(3)], [1, 4, 2])?.description
                == "num_groups is 3, which does not divide the 4 channels"
        )
        #expect(
            try error("group_norm", [.groupCount: .integer(3)], [1, 4, 2])
                == .groupCountDoesNotDivide(3, channelCount: 4)
        )
        #expect(try error("group_norm", [.groupCount: .integer(0)]) == .invalidGroupCount(0))
        #expect(try error("group_norm", [.groupCount: .integer(.min)])?.parameter == .groupCount)
        #expect(try error("group_norm", [.groupCount: .integer(.max)])?.parameter == .groupCount)
    }

    @Test func channelCounts() throws {
        let error = try error("batch_norm", frozen(mean: 3))
        #expect(error?.description == "running_mean has 3 elements; the input has 2 channels on axis 1")
        // Also where the batch's or the sample's own statistics are used.
        for (typeName, more) in [
            ("batch_norm", [ParameterName.useBatchStatistics: .boolean(true)]), ("instance_norm", [:]),
        ]
            as [(String, Parameters)]
        {
            #expect(
                try self.error(typeName, frozen(mean: 3, more))
                    == .channelCountMismatch(.runningMean, elementCount: 3, channelCount: 2, axis: 1)
            )
        }
        for name in [ParameterName.weight, .bias] {
            for (typeName, more) in [
                ("batch_norm", try frozen()), ("instance_norm", [:]), ("group_norm", [.groupCount: .integer(1)]),
            ] {
                let parameters = more.merging([name: try .vector([1])]) { $1 }
                #expect(
                    try self.error(typeName, parameters)
                        == .channelCountMismatch(name, elementCount: 1, channelCount: 2, axis: 1)
                )
            }
        }
        #expect(
            try self.error("batch_norm", frozen(mean: 3, [.dataFormat: .text("channels_last")]))
                == .channelCountMismatch(.runningVar, elementCount: 2, channelCount: 3, axis: 2)
        )
        let square = ParameterValue.tensor(try Tensor([1, 1, 1, 1], [2, 2]))
        #expect(
            try self.error("instance_norm", [.weight: square], [1, 4, 3])
                == .shapeMismatch(.weight, Shape([2, 2]), expected: [4])
        )
        let column = ParameterValue.tensor(try Tensor([1, 1], [2, 1, 1]))
        #expect(try self.error("instance_norm", [.weight: column]) == nil)
    }

    @Test func normalizedShapes() throws {
        #expect(try error("layer_norm", [.normalizedShape: .integers([])]) == .emptyNormalizedShape)
        #expect(
            try error("layer_norm", [.normalizedShape: .integers([4])])?.description
                == "normalized_shape is [4], which is not the end of the input's shape [1, 2, 3]"
        )
        #expect(try error("rms_norm", [.normalizedShape: .integers([1, 1, 2, 3])])?.parameter == .normalizedShape)
        #expect(try error("layer_norm", [.normalizedShape: .integer(3)]) == nil)
        #expect(
            try error("layer_norm", [.axis: .integer(3)])?.description
                == "axis is 3; for an input of rank 3 it must be from -3 to 2"
        )
        #expect(try error("layer_norm", [.axis: .integer(-4)]) == .axisOutOfRange(-4, rank: 3, .axis))
        #expect(
            try error("layer_norm", [.axis: .integer(1), .weight: .vector([1, 2, 3])])?.description
                == "weight has 3 elements; the normalized dimensions [2, 3] have 6"
        )
        let transposed = ParameterValue.tensor(try Tensor([Double](repeating: 1, count: 6), [3, 2]))
        #expect(
            try error("layer_norm", [.axis: .integer(1), .bias: transposed])?.description
                == "bias has the shape [3, 2]; it must be [2, 3]"
        )
    }

    @Test func ranks() throws {
        #expect(try error("batch_norm", frozen(), [2])?.description == "the input has rank 1; it must be from 2 to 5")
        #expect(
            try error("group_norm", [.groupCount: .integer(1)], [1, 1, 1, 1, 1, 1])
                == .unsupportedRank(6, supported: 2...5)
        )
        #expect(try error("layer_norm", [.axis: .integer(0)], []) == .unsupportedRank(0, supported: 1...5))
    }

    @Test func outputTypes() throws {
        #expect(try error("instance_norm", [:], into: .int32) == .unsupportedOutputType(.int32))
        #expect(try error("instance_norm", [:], into: .bf16) == nil)
    }

    @Test func variances() throws {
        #expect(
            try error("batch_norm", frozen(variance: [1, -0.1])) == .negativeVariance(.runningVar, index: 1)
        )
        #expect(
            try error("batch_norm", frozen(variance: [.nan, 1])) == .negativeVariance(.runningVar, index: 0)
        )
        #expect(try error("batch_norm", frozen(variance: [1, 0])) == nil)
        #expect(
            try error("batch_norm", frozen(variance: [1, 0], [.epsilon: .real(0)]))?.description
                == "running_var and eps are both 0 at index 1; their sum must be greater than 0"
        )
    }

    /// Nothing is written before everything is known to be right.
    @Test func inputSurvivesErrors() throws {
        let input = try Tensor([1, 2, 3, 4, 5, 6], [1, 2, 3])
        let layer = try BatchNorm(LayerParameters(frozen([.bias: .vector([1, 2, 3])])))
        #expect(throws: LayerError.self) { try layer.normalize(input, into: .fp32) }
        #expect(input.values == [1, 2, 3, 4, 5, 6])
    }
}
