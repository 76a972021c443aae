import Tensors
import Testing

@testable import Normalization

/// The composed types, and those that are like them, stay within 1e-6 of their references in FP32, wherever the mean
/// of the data is; in FP64 within 1e-14·max(1, |y|).
@Suite struct ComposedAccuracyTests {
    private typealias Case = (typeName: String, parameters: [String: ParameterValue], expected: ReferenceTensor)

    @Test(arguments: [0, 1e2, 1e4, 1e6], [DataType.fp32, .fp64])
    func staysWithinOneMillionth(offset: Double, dataType: DataType) throws {
        for isChannelsLast in [false, true] {
            let dimensions = isChannelsLast ? [2, 13, 13, 6] : [2, 6, 13, 13]
            var generator = SeededGenerator(seed: 31)
            let raw = (0..<dimensions.reduce(1, *)).map { _ in generator.normal() + offset }
            let x = ReferenceTensor(dimensions, try Tensor(raw, dimensions, dataType).values)
            var cases = try self.composed(x, channelAxis: isChannelsLast ? 3 : 1, offset, &generator)
            cases += try self.centred(x, &generator)
            if offset == 0 { cases += try self.uncentred(x, channelAxis: isChannelsLast ? 3 : 1, &generator) }
            for (typeName, parameters, expected) in cases {
                let type = try #require(LayerType.named(typeName))
                var named = Dictionary(
                    uniqueKeysWithValues: parameters.map { (ParameterName(rawValue: $0.key), $0.value) }
                )
                if type[.dataFormat] != nil {
                    named[.dataFormat] = .text(isChannelsLast ? "channels_last" : "channels_first")
                }
                let layer = try type.makeLayer(LayerParameters(named))
                for (instructionSet, kernels) in kernelSets {
                    let results = try layer.apply(x.elements, dimensions, dataType, kernels: kernels)
                    let error = zip(results, expected.elements).map { result, expected in
                        let error = (result - expected).magnitude
                        return dataType == .fp64 ? error / max(1, expected.magnitude) : error
                    }.max()
                    let limit = dataType == .fp64 ? 1e-14 : 1e-6
                    #expect(error ?? .infinity <= limit, "\(typeName) \(instructionSet), last \(isChannelsLast)")
                }
            }
        }
    }

    private func composed(
        _ x: ReferenceTensor,
        channelAxis axis: Int,
        _ offset: Double,
        _ generator: inout SeededGenerator
    ) throws -> [Case] {
        let count = x.dimensions[axis]
        let affine = Reference.Affine(weight: generator.uniform(count), bias: generator.uniform(count))
        let mean = (0..<count).map { _ in Double(Float(generator.normal() / 8 + offset)) }
        let variance = generator.uniform(count, in: 0.5...2)
        let rho = generator.uniform(count)
        let switches = Reference.Switches(
            mean: generator.uniform(3, in: -1...1),
            variance: generator.uniform(3, in: -1...1)
        )
        let (styleMean, styleDeviation) = (generator.uniform(count), generator.uniform(count))
        let styleDimensions = axis == 1 ? [2, count, 5] : [2, 5, count]
        let style = ReferenceTensor(styleDimensions, generator.uniform(10 * count))
        let epsilon = Reference.Epsilon(1e-5)
        let shared: [String: ParameterValue] = [
            "running_mean": try .vector(mean), "running_var": try .vector(variance),
            "weight": try .vector(affine.weight ?? []), "bias": try .vector(affine.bias ?? []),
        ]
        let moving = Reference.MovingDeviation.variance(variance)
        return [
            (
                "batch_renorm", shared,
                Reference.batchRenorm(x, channelAxis: axis, mean: mean, moving, epsilon, affine)
            ),
            (
                "batch_renorm", shared.merging(["use_batch_statistics": .boolean(true)]) { $1 },
                Reference.batchRenorm(
                    x,
                    channelAxis: axis,
                    mean: mean,
                    moving,
                    largestRatio: 3,
                    largestDistance: 5,
                    epsilon,
                    affine
                )
            ),
            (
                "batch_instance_norm", shared.merging(["rho": try .vector(rho)]) { $1 },
                Reference.batchInstanceNorm(
                    x,
                    channelAxis: axis,
                    mean: mean,
                    variance: variance,
                    rho: rho,
                    epsilon,
                    affine
                )
            ),
            (
                "switchable_norm",
                shared.merging([
                    "mean_weight": try .vector(switches.mean), "var_weight": try .vector(switches.variance),
                ]) { $1 },
                Reference.switchableNorm(
                    x,
                    channelAxis: axis,
                    mean: mean,
                    variance: variance,
                    switches,
                    epsilon,
                    affine
                )
            ),
            (
                "adaptive_instance_norm",
                ["style_mean": try .vector(styleMean), "style_std": try .vector(styleDeviation)],
                Reference.adaptiveInstanceNorm(
                    x,
                    channelAxis: axis,
                    styleMean: { styleMean[$0[1]] },
                    styleDeviation: { styleDeviation[$0[1]] },
                    epsilon
                )
            ),
            (
                "adaptive_instance_norm", ["style": .tensor(try Tensor(style.elements, styleDimensions))],
                Reference.adaptiveInstanceNorm(
                    x,
                    channelAxis: axis,
                    style: style,
                    styleAxis: axis == 1 ? 1 : 2,
                    epsilon
                )
            ),
        ]
    }

    private func centred(_ x: ReferenceTensor, _ generator: inout SeededGenerator) throws -> [Case] {
        let gain = generator.uniform(x.dimensions[0])
        return [
            (
                "weight_standardization", ["gain": try .vector(gain)],
                Reference.weightStandardization(x, gain: gain, .init(1e-5))
            ),
            ("mean_variance_norm", [:], Reference.meanVarianceNorm(x, axes: [0, 2, 3], epsilon: 1e-9)),
            (
                "mean_variance_norm", ["axes": .integers([1, 3])],
                Reference.meanVarianceNorm(x, axes: [1, 3], epsilon: 1e-9)
            ),
        ]
    }

    private func uncentred(
        _ x: ReferenceTensor,
        channelAxis axis: Int,
        _ generator: inout SeededGenerator
    ) throws -> [Case] {
        let count = x.dimensions[axis]
        let affine = Reference.Affine(weight: generator.uniform(count), bias: generator.uniform(count))
        let shared: [String: ParameterValue] = [
            "weight": try .vector(affine.weight ?? []), "bias": try .vector(affine.bias ?? []),
        ]
        return [
            (
                "filter_response_norm", shared,
                Reference.filterResponseNorm(x, channelAxis: axis, epsilon: 1e-6, affine, threshold: nil)
            ),
            (
                "global_response_norm", shared,
                Reference.globalResponseNorm(
                    x,
                    channelAxis: axis,
                    epsilon: 1e-6,
                    weight: affine.weight,
                    bias: affine.bias
                )
            ),
            ("lp_norm", [:], Reference.lpNorm(x, axis: 3, .euclidean, epsilon: 1e-12)),
            ("weight_norm", ["weight_g": try .vector([1, 1])], Reference.weightNorm(x, axis: 0, g: [1, 1])),
        ]
    }
}
