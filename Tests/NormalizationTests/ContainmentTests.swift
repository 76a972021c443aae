import Tensors
import Testing

@testable import Normalization

/// Values that arithmetic trips over, in the types that are made of several statistics or of norms; and inputs without
/// elements, in all types.
@Suite struct ContainmentTests {
    private typealias Parameters = [String: ParameterValue]

    private func layer(_ typeName: String, _ parameters: Parameters) throws -> any NormalizationLayer {
        let named = parameters.map { (ParameterName(rawValue: $0.key), $0.value) }
        let type = try #require(LayerType.named(typeName))
        return try type.makeLayer(LayerParameters(Dictionary(uniqueKeysWithValues: named)))
    }

    private static func frozen(_ channelCount: Int, _ more: Parameters = [:]) throws -> Parameters {
        let statistics: Parameters = [
            "running_mean": try .vector([Double](repeating: 0, count: channelCount)),
            "running_var": try .vector([Double](repeating: 1, count: channelCount)),
        ]
        return statistics.merging(more) { $1 }
    }

    // MARK: - NaN and infinity

    /// A layer of four channels on axis 1, and what the elements have in common that share statistics.
    private struct Sharing: Sendable, CustomTestStringConvertible {
        let typeName: String
        let parameters: Parameters
        let isCentred: Bool
        let key: @Sendable ([Int]) -> [Int]

        var testDescription: String { "\(self.typeName) \(self.parameters.keys.sorted())" }

        init(
            _ typeName: String,
            _ parameters: Parameters = [:],
            isCentred: Bool = true,
            by key: @escaping @Sendable ([Int]) -> [Int]
        ) {
            self.typeName = typeName
            self.parameters = parameters
            self.isCentred = isCentred
            self.key = key
        }

        static func all() throws -> [Self] {
            let four = try ParameterValue.vector([0.25, 0.5, 0.75, 1])
            let three = try ParameterValue.vector([0, 1, 2])
            let instance: @Sendable ([Int]) -> [Int] = { [$0[0], $0[1]] }
            let single: @Sendable ([Int]) -> [Int] = { $0 }
            return [
                Self("batch_renorm", try frozen(4), by: single),
                Self("batch_renorm", try frozen(4, ["use_batch_statistics": .boolean(true)])) { [$0[1]] },
                Self("batch_instance_norm", try frozen(4, ["rho": four]), by: instance),
                // The statistics of the layer have a share in every channel of the sample.
                Self("switchable_norm", try frozen(4, ["mean_weight": three, "var_weight": three])) { [$0[0]] },
                Self("adaptive_instance_norm", ["style_mean": four, "style_std": four], by: instance),
                Self("weight_standardization") { [$0[0]] },
                Self("standardize", ["mean": four, "std": four, "axis": .integer(1)], by: single),
                Self("mean_variance_norm") { [$0[1]] },
                Self("mean_variance_norm", ["axes": .integers([1])]) { [$0[0], $0[2]] },
                Self("weight_norm", ["weight_g": four, "dim": .integer(1)], isCentred: false) { [$0[1]] },
                Self("lp_norm", isCentred: false, by: instance),
                Self("lp_norm", ["p": .integer(1), "axis": .integer(1)], isCentred: false) { [$0[0], $0[2]] },
                Self("lp_norm", ["p": .text("inf"), "axis": .integer(0)], isCentred: false) { [$0[1], $0[2]] },
                Self("filter_response_norm", ["tau": four], isCentred: false, by: instance),
                Self("global_response_norm", isCentred: false) { [$0[0]] },
            ]
        }
    }

    @Test(arguments: try Sharing.all())
    private func nonFiniteValuesStayAmongThemselves(sharing: Sharing) throws {
        let dimensions = [3, 4, 20]
        var generator = SeededGenerator(seed: 1)
        var values = (0..<240).map { _ in generator.normal() }
        let layer = try layer(sharing.typeName, sharing.parameters)
        let indices = ReferenceTensor(dimensions, values).indices
        let intruder = 105
        for dataType in [DataType.fp32, .fp64] {
            for value in [Double.nan, .infinity, -.infinity] {
                values[intruder] = value
                for (name, kernels) in kernelSets {
                    let results = try layer.apply(values, dimensions, dataType, kernels: kernels)
                    let wrong = results.indices.filter { offset in
                        let isShared = sharing.key(indices[offset]) == sharing.key(indices[intruder])
                        // Divided by infinity, without a mean that is infinite too, the others are zero.
                        let mayBeFinite = !sharing.isCentred && !value.isNaN && offset != intruder
                        return isShared ? results[offset].isFinite && !mayBeFinite : !results[offset].isFinite
                    }
                    #expect(wrong.isEmpty, "\(name), \(value), \(dataType)")
                }
            }
        }
    }

    // MARK: - Zero variance and single elements

    /// Constant data has no spread, and zeros have no length: β remains, exactly, with any eps.
    @Test(arguments: [0, 1e-5], [0, 0.1, 1e6, -12345.678])
    func zeroVarianceGivesBias(epsilon: Double, constant: Double) throws {
        let bias = [0.5, -1, 0.25]
        let beta = try ParameterValue.vector(bias)
        let zeros = try ParameterValue.vector([0, 0, 0])
        let instanceOnly = try ParameterValue.vector([1000, 0, 0])
        let layers: [(String, Parameters, [Double])] = [
            ("batch_instance_norm", try Self.frozen(3, ["rho": zeros, "bias": beta]), bias),
            (
                "switchable_norm",
                try Self.frozen(3, ["mean_weight": instanceOnly, "var_weight": instanceOnly, "bias": beta]),
                bias
            ),
            ("adaptive_instance_norm", ["style_mean": beta, "style_std": try .vector([1, 2, 3])], bias),
            (
                "batch_renorm",
                try Self.frozen(
                    3,
                    ["use_batch_statistics": .boolean(true), "d_max": .real(0), "bias": beta]
                ),
                bias
            ),
            ("weight_standardization", [:], [0, 0, 0]), ("mean_variance_norm", [:], [0, 0, 0]),
            ("mean_variance_norm", ["axes": .integers([1])], [0, 0, 0]),
        ]
        let ofZeros: [(String, Parameters, [Double])] = [
            ("filter_response_norm", ["bias": beta], bias), ("global_response_norm", ["bias": beta], bias),
            ("lp_norm", [:], [0, 0, 0]), ("lp_norm", ["p": .integer(1)], [0, 0, 0]),
            ("lp_norm", ["p": .text("inf"), "axis": .integer(0)], [0, 0, 0]),
            ("weight_norm", ["weight_g": try .vector([1, 2])], [0, 0, 0]),
        ]
        for (typeName, parameters, expected) in constant == 0 ? layers + ofZeros : layers {
            let type = try #require(LayerType.named(typeName))
            for isChannelsLast in type[.dataFormat] == nil ? [false] : [false, true] {
                var parameters = parameters
                if type[.epsilon] != nil { parameters["eps"] = .real(epsilon) }
                if isChannelsLast { parameters["data_format"] = .text("channels_last") }
                let layer = try layer(typeName, parameters)
                let dimensions = isChannelsLast ? [2, 17, 3] : [2, 3, 17]
                let values = [Double](repeating: constant, count: 102)
                let channels = ReferenceTensor(dimensions, values).indices.map { $0[isChannelsLast ? 2 : 1] }
                for (name, kernels) in kernelSets {
                    let results = try layer.apply(values, dimensions, kernels: kernels)
                    #expect(results == channels.map { expected[$0] }, "\(typeName) \(parameters.keys) \(name)")
                }
            }
        }
    }

    @Test func singleElementsHaveNoSpread() throws {
        let values: [Double] = [1, -2, 3, 4, 5, -6]
        let seven = try ParameterValue.vector([7, 8, 9])
        for dimensions in [[2, 3], [2, 3, 1, 1]] {
            let style = try layer("adaptive_instance_norm", ["style_mean": seven, "style_std": seven])
            #expect(try style.apply(values, dimensions) == [7, 8, 9, 7, 8, 9])
            let half = try ParameterValue.vector([0.5, 0.5, 0.5])
            let parameters = try Self.frozen(3, ["rho": half, "eps": .real(0), "bias": seven])
            // The half that comes from frozen statistics.
            let mixed = try layer("batch_instance_norm", parameters)
            #expect(try mixed.apply(values, dimensions) == [7.5, 7, 10.5, 9, 10.5, 6])
            let response = try layer("filter_response_norm", ["eps": .real(0)])
            #expect(try response.apply(values, dimensions) == [1, -1, 1, 1, 1, -1])
        }
        #expect(try layer("weight_standardization", [:]).apply(values, [6, 1]) == [0, 0, 0, 0, 0, 0])
        #expect(try layer("mean_variance_norm", ["axes": .integers([1])]).apply(values, [6, 1]) == [0, 0, 0, 0, 0, 0])
        for p in [ParameterValue.integer(1), .integer(2), .text("inf")] {
            #expect(try layer("lp_norm", ["p": p]).apply(values, [6, 1]) == [1, -1, 1, 1, 1, -1])
        }
        let weight = try layer("weight_norm", ["weight_g": .vector([1, 2, 3, 4, 5, 6])])
        #expect(try weight.apply(values, [6, 1]) == [1, -2, 3, 4, 5, -6])
    }

    // MARK: - No elements

    @Test(arguments: LayerCase.all.filter { LayerType.named($0.typeName) != nil })
    func noElementsGiveNoElements(layerCase: LayerCase) throws {
        for dimensions in [[0, 3, 4], [2, 3, 0], [2, 0, 4], [0, 3]] {
            for isChannelsLast in [false, true] {
                let input = LayerCase.Input(dimensions: dimensions, isChannelsLast: isChannelsLast)
                let layer = try layerCase.layer(for: input)
                for (inputType, outputType) in [(DataType.fp32, DataType.fp32), (.uint8, .fp64)] {
                    let tensor = try Tensor([], dimensions, inputType)
                    let output = try layer.normalize(tensor, into: outputType, threadCount: 2).output
                    #expect(output.shape == tensor.shape && output.dataType == outputType)
                }
            }
        }
    }

    // MARK: - Impossible variances

    @Test(arguments: ["batch_renorm", "batch_instance_norm", "switchable_norm"])
    func negativeVarianceIsRefused(typeName: String) throws {
        func error(_ variance: [Double], epsilon: Double = 1e-5) throws -> LayerError? {
            var parameters = try Self.frozen(3, ["running_var": .vector(variance), "eps": .real(epsilon)])
            let three = try ParameterValue.vector([0, 1, 0.5])
            if typeName == "switchable_norm" { (parameters["mean_weight"], parameters["var_weight"]) = (three, three) }
            if typeName == "batch_instance_norm" { parameters["rho"] = three }
            do {
                _ = try self.layer(typeName, parameters).apply([1, 2, 3], [1, 3])
                return nil
            } catch {
                return error as? LayerError
            }
        }
        #expect(try error([1, -0.5, -1]) == .negativeVariance(.runningVar, index: 1))
        #expect(try error([1, 1, .nan]) == .negativeVariance(.runningVar, index: 2))
        #expect(try error([1, 0, 0], epsilon: 0) == .zeroVariance(.runningVar, index: 1))
        #expect(try error([1, 0, 0]) == nil)
    }

    // MARK: - Magnitudes

    /// Squares of these overflow or vanish in FP32.
    @Test(arguments: [1e-25, 1e30, 1e37])
    func squaresBeyondFloatAreHandled(scale: Double) throws {
        let dimensions = [2, 3, 16]
        let values = (0..<96).map { Double(Float(Double($0 * 7 % 5) * scale)) }
        let x = ReferenceTensor(dimensions, values)
        let none: Parameters = ["eps": .real(0)]
        let (mean, variance) = ([0.0, 0, 0], [1.0, 1, 1])
        let ones = try ParameterValue.vector([1, 1, 1])
        let cases: [(String, Parameters, ReferenceTensor)] = [
            (
                "adaptive_instance_norm", none.merging(["style_mean": ones, "style_std": ones]) { $1 },
                Reference.adaptiveInstanceNorm(
                    x,
                    channelAxis: 1,
                    styleMean: { _ in 1 },
                    styleDeviation: { _ in 1 },
                    .init(0)
                )
            ),
            (
                "switchable_norm",
                try Self.frozen(3, none).merging(["mean_weight": ones, "var_weight": ones]) { $1 },
                Reference.switchableNorm(
                    x,
                    channelAxis: 1,
                    mean: mean,
                    variance: variance,
                    .init(mean: [1, 1, 1], variance: [1, 1, 1]),
                    .init(0),
                    .init()
                )
            ),
            ("weight_standardization", none, Reference.weightStandardization(x, gain: nil, .init(0))),
            ("mean_variance_norm", none, Reference.meanVarianceNorm(x, axes: [0, 2], epsilon: 0)),
            (
                "mean_variance_norm", none.merging(["axes": .integers([1])]) { $1 },
                Reference.meanVarianceNorm(x, axes: [1], epsilon: 0)
            ),
            (
                "weight_norm", ["weight_g": try .vector([1, 2])],
                Reference.weightNorm(x, axis: 0, g: [1, 2])
            ),
            ("lp_norm", none, Reference.lpNorm(x, axis: 2, .euclidean, epsilon: 0)),
            (
                "lp_norm", none.merging(["p": .integer(1), "axis": .integer(1)]) { $1 },
                Reference.lpNorm(x, axis: 1, .sum, epsilon: 0)
            ),
            (
                "lp_norm", none.merging(["p": .text("inf"), "axis": .integer(1)]) { $1 },
                Reference.lpNorm(x, axis: 1, .largest, epsilon: 0)
            ),
            (
                "filter_response_norm", none,
                Reference.filterResponseNorm(x, channelAxis: 1, epsilon: 0, .init(), threshold: nil)
            ),
            (
                "global_response_norm", none,
                Reference.globalResponseNorm(x, channelAxis: 1, epsilon: 0, weight: nil, bias: nil)
            ),
        ]
        for (typeName, parameters, expected) in cases {
            let layer = try layer(typeName, parameters)
            let largest = expected.elements.map(\.magnitude).max() ?? 0
            for (name, kernels) in kernelSets {
                let results = try layer.apply(values, dimensions, kernels: kernels)
                let error = zip(results, expected.elements).map { ($0 - $1).magnitude }.max() ?? .infinity
                #expect(error <= 1e-6 * largest, "\(typeName) \(parameters.keys.sorted()) \(name)")
            }
        }
    }
}
