import Testing

@testable import Normalization

/// FP32 stays within 1e-6 of FP64 on standard normal data, wherever its mean is.
@Suite struct AccuracyTests {
    @Test(arguments: [0, 1e2, 1e4, 1e6])
    func staysWithinOneMillionth(offset: Double) throws {
        var generator = SeededGenerator(seed: 7)
        let dimensions = [4, 8, 24, 24]
        let values = (0..<dimensions.reduce(1, *)).map { _ in Double(Float(generator.normal() + offset)) }
        let x = ReferenceTensor(dimensions, values)
        let epsilon = Reference.Epsilon(1e-5)
        let channelAffine = Reference.Affine(weight: generator.uniform(8), bias: generator.uniform(8))
        let row = dimensions[2] * dimensions[3]
        let rowAffine = Reference.Affine(weight: generator.uniform(row), bias: generator.uniform(row))
        let mean = (0..<8).map { _ in Double(Float(generator.normal() / 8 + offset)) }
        let variance = generator.uniform(8, in: 0.5...2)

        let channels: [ParameterName: ParameterValue] = [
            .weight: try .vector(channelAffine.weight ?? []), .bias: try .vector(channelAffine.bias ?? []),
        ]
        let rows: [ParameterName: ParameterValue] = [
            .weight: try .vector(rowAffine.weight ?? []), .bias: try .vector(rowAffine.bias ?? []),
            .normalizedShape: .integers([24, 24]),
        ]
        func layer(
            _ type: any NormalizationLayer.Type,
            _ parameters: [ParameterName: ParameterValue],
            _ more: [ParameterName: ParameterValue] = [:]
        ) throws -> any NormalizationLayer {
            try type.init(LayerParameters(parameters.merging(more) { $1 }))
        }
        var cases: [(any NormalizationLayer, ReferenceTensor)] = [
            (
                try layer(
                    BatchNorm.self,
                    channels,
                    [.runningMean: try .vector(mean), .runningVar: try .vector(variance)]
                ),
                Reference.frozen(x, channelAxis: 1, mean: mean, variance: variance, epsilon, channelAffine)
            ),
            (
                try layer(BatchNorm.self, channels, [.useBatchStatistics: .boolean(true)]),
                Reference.batchNorm(x, channelAxis: 1, epsilon, channelAffine)
            ),
            (
                try layer(InstanceNorm.self, channels),
                Reference.instanceNorm(x, channelAxis: 1, epsilon, channelAffine)
            ),
            (
                try layer(GroupNorm.self, channels, [.groupCount: .integer(2)]),
                Reference.groupNorm(x, channelAxis: 1, groupCount: 2, epsilon, channelAffine)
            ),
            (try layer(LayerNorm.self, rows), Reference.layerNorm(x, firstAxis: 2, epsilon, rowAffine)),
        ]
        if offset == 0 {
            let parameters = rows.filter { $0.key != .bias }
            cases.append(
                (
                    try layer(RMSNorm.self, parameters),
                    Reference.rmsNorm(
                        x,
                        firstAxis: 2,
                        epsilon: Double(Float.ulpOfOne),
                        weight: rowAffine.weight
                    )
                )
            )
        }
        for (layer, expected) in cases {
            for (instructionSet, kernels) in kernelSets {
                let results = try layer.apply(values, dimensions, kernels: kernels)
                let error = zip(results, expected.elements).map { ($0 - $1).magnitude }.max() ?? .infinity
                #expect(error <= 1e-6, "\(Swift.type(of: layer)) \(instructionSet)")
            }
        }
    }

    /// Groups of 12 544 elements, with the offsets at which the squares' roundings would add up most.
    @Test(arguments: [0, 1e2, 1e4, 2e4, -3e4, 1e6])
    func largeGroupStaysWithinOneMillionth(offset: Double) throws {
        var generator = SeededGenerator(seed: 12)
        let dimensions = [1, 32, 28, 28]
        let values = (0..<dimensions.reduce(1, *)).map { _ in Double(Float(generator.normal() + offset)) }
        let layer = try GroupNorm(LayerParameters([.groupCount: .integer(2)]))
        let expected = Reference.groupNorm(
            ReferenceTensor(dimensions, values),
            channelAxis: 1,
            groupCount: 2,
            Reference.Epsilon(1e-5),
            Reference.Affine()
        )
        for (instructionSet, kernels) in kernelSets {
            let results = try layer.apply(values, dimensions, kernels: kernels)
            let error = zip(results, expected.elements).map { ($0 - $1).magnitude }.max() ?? .infinity
            #expect(error <= 1e-6, "\(instructionSet)")
        }
    }

    /// A million elements share one mean: sums in FP32 lanes alone would be off by far.
    @Test func longRowStaysAccurate() throws {
        let count = 1_000_000
        // Mean 1000.5, variance 0.25.
        let values = (0..<count).map { Double(1000 + $0 % 2) }
        let layer = try LayerNorm(LayerParameters([.axis: .integer(0), .epsilon: .real(0)]))
        for (instructionSet, kernels) in kernelSets {
            let results = try layer.apply(values, [count], kernels: kernels)
            let isExact = results.enumerated().allSatisfy { $0.element == ($0.offset % 2 == 0 ? -1 : 1) }
            #expect(isExact, "\(instructionSet)")
        }
    }
}
