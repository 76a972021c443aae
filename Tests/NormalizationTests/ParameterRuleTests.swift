import Tensors
import Testing

@testable import Normalization

/// Each parameter of each type once missing, once of the wrong size, once out of its range.
@Suite struct ParameterRuleTests {
    private typealias Parameters = [ParameterName: ParameterValue]

    private static let dimensions = [2, 4, 3, 2]

    /// What each type needs, for an input of those dimensions.
    private static func required(_ typeName: String) throws -> Parameters {
        let running: Parameters = [.runningMean: try .ones(4), .runningVar: try .ones(4)]
        let examples: [String: Parameters] = [
            "batch_norm": running,
            "layer_norm": [.normalizedShape: .integers([3, 2])],
            "group_norm": [.groupCount: .integer(2)],
            "rms_norm": [.normalizedShape: .integers([3, 2])],
            "batch_renorm": running,
            "batch_instance_norm": running.merging([.rho: try .ones(4)]) { $1 },
            "switchable_norm": running.merging([.meanWeight: try .ones(3), .varWeight: try .ones(3)]) { $1 },
            "adaptive_instance_norm": [.styleMean: try .ones(4), .styleStd: try .ones(4)],
            "weight_norm": [.weightG: try .ones(2)],
            "standardize": [.mean: try .ones(2), .std: try .ones(2)],
            "local_response_norm": [ParameterName(rawValue: "size"): .integer(3)],
            "dynamic_tanh": [ParameterName(rawValue: "alpha"): .real(0.5)],
        ]
        return examples[typeName] ?? [:]
    }

    /// What a type needs for a parameter to be given: not what it takes the place of, but what it belongs to.
    private static func required(_ type: LayerType, beside name: ParameterName) throws -> Parameters {
        var parameters = try self.required(type.name).filter { type[$0.key]?.substitute != name }
        if name == ParameterName(rawValue: "v") {
            parameters[ParameterName(rawValue: "u")] = try .ones(2)
        }
        return parameters
    }

    /// The error that making the layer and normalizing a tensor of ones ends with.
    private func error(
        _ typeName: String,
        _ parameters: Parameters,
        _ dimensions: [Int] = Self.dimensions
    ) throws -> LayerError? {
        let type = try #require(LayerType.named(typeName))
        let input = try Tensor([Double](repeating: 1, count: dimensions.reduce(1, *)), dimensions)
        do {
            _ = try type.makeLayer(LayerParameters(parameters)).normalize(input, into: .fp32)
            return nil
        } catch {
            return error
        }
    }

    private func error(_ typeName: String, with more: Parameters) throws -> LayerError? {
        try self.error(typeName, Self.required(typeName).merging(more) { $1 })
    }

    @Test(arguments: LayerType.all.map(\.name))
    func nothingElseIsRequired(typeName: String) throws {
        #expect(try self.error(typeName, with: [:]) == nil)
    }

    @Test(arguments: LayerType.all.map(\.name))
    func eachRequiredParameterMissing(typeName: String) throws {
        let type = try #require(LayerType.named(typeName))
        for specification in type.parameters where specification.isRequired {
            var parameters = try Self.required(typeName)
            parameters[specification.name] = nil
            let expected = LayerError.missingParameter(specification.name, substitute: specification.substitute)
            #expect(try self.error(typeName, parameters) == expected)
        }
    }

    @Test(arguments: LayerType.all.map(\.name))
    func eachTensorOfTheWrongSize(typeName: String) throws {
        let type = try #require(LayerType.named(typeName))
        for specification in type.parameters where [.tensor, .realOrTensor].contains(specification.kind) {
            for count in [0, 7] {
                var parameters = try Self.required(type, beside: specification.name)
                parameters[specification.name] = try .ones(count)
                let error = try self.error(typeName, parameters)
                #expect(error?.parameter == specification.name, "\(count) elements: \(String(describing: error))")
            }
        }
    }

    @Test(arguments: LayerType.all.map(\.name))
    func eachNumberOfTheWrongKind(typeName: String) throws {
        let type = try #require(LayerType.named(typeName))
        for specification in type.parameters {
            let wrong: [ParameterValue] =
                switch specification.kind {
                case .tensor: [.real(1), .null]
                case .real: [.text("1"), .null, try .ones(1)]
                case .integer: [.real(1), .null, try .ones(1)]
                case .boolean: [.integer(1), .text("true"), .null]
                case .choice: [.boolean(true), .null]
                case .integers: [.real(1), .null, try .ones(1)]
                case .realOrWord: [.boolean(true), .null, try .ones(1)]
                case .integerOrNull: [.real(1), .text("null"), try .ones(1)]
                case .realOrTensor: [.text("1"), .boolean(true), .null]
                }
            for value in wrong {
                let error = try self.error(typeName, with: [specification.name: value])
                #expect(error == .wrongKind(specification.name, expected: specification.kind))
            }
        }
    }

    @Test(arguments: LayerType.all.map(\.name), [-1, -1e-300, Double.nan, .infinity])
    func epsilons(typeName: String, epsilon: Double) throws {
        guard LayerType.named(typeName)?[.epsilon] != nil else { return }
        #expect(try self.error(typeName, with: [.epsilon: .real(epsilon)])?.parameter == .epsilon)
    }

    @Test(arguments: ["batch_norm", "batch_renorm", "batch_instance_norm", "switchable_norm"])
    func runningVariances(typeName: String) throws {
        let negative = ParameterValue.tensor(try Tensor([1, 1, -1, -1], [4]))
        #expect(try self.error(typeName, with: [.runningVar: negative]) == .negativeVariance(.runningVar, index: 2))
        let zero = ParameterValue.tensor(try Tensor([1, 1, 1, 0], [4]))
        #expect(try self.error(typeName, with: [.runningVar: zero]) == nil)
        #expect(
            try self.error(typeName, with: [.runningVar: zero, .epsilon: .real(0)])
                == .zeroVariance(.runningVar, index: 3)
        )
    }

    @Test(arguments: [-0.1, 1.1, Double.nan, .infinity])
    func proportions(outside: Double) throws {
        let error = try self.error("batch_instance_norm", with: [.rho: .vector([0, 1, outside, 0.5])])
        #expect(error == .notAProportion(.rho, index: 2))
        #expect(error?.description == "rho is not from 0 to 1 at index 2")
    }

    @Test(arguments: [-1, Double.nan, -Double.infinity])
    func deviations(negative: Double) throws {
        for (typeName, name) in [("standardize", ParameterName.std), ("adaptive_instance_norm", .styleStd)] {
            let count = typeName == "standardize" ? 2 : 4
            let values = [Double](repeating: 0, count: count - 1) + [negative]
            let error = try self.error(typeName, with: [name: .vector(values)])
            #expect(error == .negativeDeviation(name, index: count - 1))
            #expect(try self.error(typeName, with: [name: .vector(values.map { _ in 0 })]) == nil)
        }
        for deviation in [negative, 0] {
            let parameters: Parameters = [.runningMean: try .ones(4), .runningStd: try .vector([1, deviation, 1, 1])]
            #expect(try self.error("batch_renorm", parameters) == .deviationNotPositive(.runningStd, index: 1))
        }
    }

    @Test func renormalization() throws {
        let both = try self.error("batch_renorm", with: [.runningStd: .ones(4)])
        #expect(both?.description == "running_var and running_std exclude each other; give one of them")
        for number in [0.5, .nan, -3] {
            #expect(try self.error("batch_renorm", with: [.rMax: .real(number)])?.parameter == .rMax)
        }
        #expect(
            try self.error("batch_renorm", with: [.dMax: .real(-1)])?.description
                == "d_max is -1.0; it must be at least 0.0"
        )
        #expect(try self.error("batch_renorm", with: [.rMax: .integer(1), .dMax: .integer(0)]) == nil)
        // r and d need them.
        let batch: Parameters = [.useBatchStatistics: .boolean(true)]
        #expect(try self.error("batch_renorm", batch) == .missingParameter(.runningMean))
    }

    @Test func styles() throws {
        func error(_ dimensions: [Int], format: String = "channels_first") throws -> LayerError? {
            let style = try Tensor([Double](repeating: 1, count: dimensions.reduce(1, *)), dimensions)
            let parameters: Parameters = [.style: .tensor(style), .dataFormat: .text(format)]
            return try self.error(
                "adaptive_instance_norm",
                parameters,
                format == "channels_first" ? Self.dimensions : [2, 3, 4]
            )
        }
        for fitting in [[1, 4], [2, 4], [1, 4, 5], [2, 4, 3, 2], [1, 4, 1, 1, 1]] {
            #expect(try error(fitting) == nil)
        }
        #expect(try error([1, 6, 4], format: "channels_last") == nil)
        #expect(try error([3, 4, 5])?.description == "style has 3 samples; it must have 1, or 2 as the input")
        #expect(try error([1, 3, 4])?.description == "style has 3 channels on axis 1; the input has 4")
        #expect(
            try error([1, 4, 3], format: "channels_last") == .styleChannelCountMismatch(3, axis: 2, channelCount: 4)
        )
        #expect(
            try error([1, 4, 0])?.description
                == "style has the shape [1, 4, 0]; each channel must have at least one element"
        )
        #expect(try error([4])?.description == "style has rank 1; it must be from 2 to 5")
        #expect(try error([1, 4, 1, 1, 1, 1]) == .unsupportedStyleRank(6, supported: 2...5))
        for name in [ParameterName.styleMean, .styleStd] {
            let style = ParameterValue.tensor(try Tensor([1, 1, 1, 1], [1, 4]))
            #expect(
                try self.error("adaptive_instance_norm", [.style: style, name: .ones(4)])
                    == .conflictingParameters(.style, name)
            )
        }
        #expect(
            try self.error("adaptive_instance_norm", [.styleMean: .ones(4)])?.description
                == "style_std or style is required"
        )
        let perSample = ParameterValue.tensor(try Tensor([Double](repeating: 1, count: 8), [2, 4]))
        #expect(try self.error("adaptive_instance_norm", with: [.styleMean: perSample]) == nil)
        let transposed = ParameterValue.tensor(try Tensor([Double](repeating: 1, count: 8), [4, 2]))
        #expect(
            try self.error("adaptive_instance_norm", with: [.styleMean: transposed])
                == .shapeMismatch(.styleMean, Shape([4, 2]), expected: [2, 4])
        )
        #expect(
            try self.error("adaptive_instance_norm", with: [.styleStd: .ones(5)])?.description
                == "style_std has 5 elements; the input has 4 channels and 2 samples"
        )
    }

    @Test func axes() throws {
        func error(_ axes: [Int]) throws -> LayerError? {
            try self.error("mean_variance_norm", [.axes: .integers(axes)])
        }
        #expect(try error([])?.description == "axes is []; it must name at least one axis")
        #expect(try error([0, 4])?.description == "axes has 4; for an input of rank 4 an axis must be from -4 to 3")
        #expect(try error([-5]) == .axisOutOfRange(-5, rank: 4, .axes))
        #expect(try error([1, -3])?.description == "axes names axis -3 more than once")
        #expect(try error([3, 0]) == nil)
        #expect(try self.error("mean_variance_norm", [.axes: .integer(0)]) == nil)
        for typeName in ["standardize", "lp_norm"] {
            #expect(try self.error(typeName, with: [.axis: .integer(4)]) == .axisOutOfRange(4, rank: 4, .axis))
            #expect(try self.error(typeName, with: [.axis: .integer(.min)]) == .axisOutOfRange(.min, rank: 4, .axis))
        }
        let dim = try self.error("weight_norm", with: [.dim: .integer(-5)])
        #expect(dim?.description == "dim is -5; for an input of rank 4 it must be from -4 to 3")
    }

    @Test func weights() throws {
        #expect(
            try self.error("weight_norm", [.weightG: .ones(3)])?.description
                == "weight_g has 3 elements; the input has 2 on axis 0"
        )
        let column = ParameterValue.tensor(try Tensor([1, 1, 1, 1], [1, 4, 1, 1]))
        #expect(try self.error("weight_norm", [.weightG: column, .dim: .integer(1)]) == nil)
        #expect(
            try self.error("weight_norm", [.weightG: .ones(2), .dim: .null])?.description
                == "weight_g has 2 elements; it must have 1"
        )
        #expect(try self.error("weight_norm", [.weightG: .ones(1), .dim: .null]) == nil)
        #expect(try self.error("weight_standardization", [.gain: .ones(2)]) == nil)
        #expect(
            try self.error("switchable_norm", with: [.meanWeight: .ones(2)])
                == .countMismatch(.meanWeight, elementCount: 2, expected: 3)
        )
    }

    @Test func orders() throws {
        for order in [ParameterValue.integer(1), .real(2), .real(.infinity), .text("inf")] {
            #expect(try self.error("lp_norm", [.p: order]) == nil)
        }
        for order in [ParameterValue.integer(3), .real(.nan), .real(-.infinity), .real(1.5), .integer(0)] {
            #expect(try self.error("lp_norm", [.p: order])?.parameter == .p)
        }
        #expect(try self.error("lp_norm", [.p: .real(3)])?.description == "p is 3.0; it must be 1, 2 or \"inf\"")
        #expect(try self.error("lp_norm", [.p: .text("max")]) == .unknownChoice(.p, "max", allowed: ["inf"]))
    }

    @Test(arguments: LayerType.all.map(\.name))
    func ranks(typeName: String) throws {
        let rank6 = try self.error(typeName, Self.required(typeName), [2, 4, 3, 2, 1, 1])
        guard case .unsupportedRank(6, _) = rank6 else {
            Issue.record("\(String(describing: rank6))")
            return
        }
    }

    /// Nothing is written before everything is known to be right.
    @Test(arguments: LayerType.all.map(\.name))
    func inputSurvivesErrors(typeName: String) throws {
        let type = try #require(LayerType.named(typeName))
        for specification in type.parameters where specification.kind == .tensor {
            var parameters = try Self.required(type, beside: specification.name)
            parameters[specification.name] = try .ones(7)
            let values = (0..<48).map { Double($0) }
            let input = try Tensor(values, Self.dimensions)
            #expect(throws: LayerError.self) {
                try type.makeLayer(LayerParameters(parameters)).normalize(input, into: .fp32)
            }
            #expect(input.values == values)
        }
    }
}

extension ParameterValue {
    fileprivate static func ones(_ count: Int) throws -> Self {
        try .vector([Double](repeating: 1, count: count))
    }
}
