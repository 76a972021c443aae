import Tensors
import Testing

@testable import Normalization

/// Random layers on random inputs, every instruction set, held against the FP64 reference.
@Suite struct LayerPropertyTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func batchNorm(seed: UInt64) throws {
        var scenario = try Scenario(seed: seed)
        let affine = try scenario.makeAffine(scenario.channelCount)
        let mean = scenario.generator.uniform(scenario.channelCount, in: -3...3)
        let variance = scenario.generator.uniform(scenario.channelCount, in: 0...4)
        let usesBatch = seed % 2 == 1
        scenario.parameters[.dataFormat] = .text(scenario.isChannelsLast ? "channels_last" : "channels_first")
        if usesBatch {
            scenario.parameters[.useBatchStatistics] = .boolean(true)
        } else {
            scenario.parameters[.runningMean] = try .vector(mean)
            scenario.parameters[.runningVar] = try .vector(variance)
        }
        let (axis, epsilon) = (scenario.channelAxis, scenario.epsilon)
        let expected =
            usesBatch
            ? Reference.batchNorm(scenario.x, channelAxis: axis, epsilon, affine)
            : Reference.frozen(
                scenario.x,
                channelAxis: axis,
                mean: mean,
                variance: variance,
                epsilon,
                affine
            )
        let layer = try BatchNorm(LayerParameters(scenario.parameters))
        try scenario.check(layer, expected, affine, position: { $0[axis] }, comment: "seed \(seed)")
    }

    @Test(arguments: 100..<140 as Range<UInt64>)
    func instanceNorm(seed: UInt64) throws {
        var scenario = try Scenario(seed: seed)
        let affine = try scenario.makeAffine(scenario.channelCount)
        let mean = scenario.generator.uniform(scenario.channelCount, in: -3...3)
        let variance = scenario.generator.uniform(scenario.channelCount, in: 0...4)
        let usesRunning = seed % 4 == 3
        scenario.parameters[.dataFormat] = .text(scenario.isChannelsLast ? "channels_last" : "channels_first")
        scenario.parameters[.runningMean] = try .vector(mean)
        scenario.parameters[.runningVar] = try .vector(variance)
        scenario.parameters[.useRunningStatistics] = .boolean(usesRunning)
        let (axis, epsilon) = (scenario.channelAxis, scenario.epsilon)
        let expected =
            usesRunning
            ? Reference.frozen(
                scenario.x,
                channelAxis: axis,
                mean: mean,
                variance: variance,
                epsilon,
                affine
            )
            : Reference.instanceNorm(scenario.x, channelAxis: axis, epsilon, affine)
        let layer = try InstanceNorm(LayerParameters(scenario.parameters))
        try scenario.check(layer, expected, affine, position: { $0[axis] }, comment: "seed \(seed)")
    }

    @Test(arguments: 200..<240 as Range<UInt64>)
    func groupNorm(seed: UInt64) throws {
        var scenario = try Scenario(seed: seed)
        let affine = try scenario.makeAffine(scenario.channelCount)
        let divisors = (1...scenario.channelCount).filter { scenario.channelCount % $0 == 0 }
        let groupCount = divisors.randomElement(using: &scenario.generator) ?? 1
        scenario.parameters[.dataFormat] = .text(scenario.isChannelsLast ? "channels_last" : "channels_first")
        scenario.parameters[.groupCount] = .integer(groupCount)
        let axis = scenario.channelAxis
        let expected = Reference.groupNorm(
            scenario.x,
            channelAxis: axis,
            groupCount: groupCount,
            scenario.epsilon,
            affine
        )
        let layer = try GroupNorm(LayerParameters(scenario.parameters))
        try scenario.check(
            layer,
            expected,
            affine,
            position: { $0[axis] },
            comment: "seed \(seed), \(groupCount) groups"
        )
    }

    @Test(arguments: 300..<340 as Range<UInt64>)
    func layerNorm(seed: UInt64) throws {
        var scenario = try Scenario(seed: seed, ranks: 1...5)
        let firstAxis = Int.random(in: 0..<scenario.dimensions.count, using: &scenario.generator)
        let row = Array(scenario.dimensions[firstAxis...])
        let affine = try scenario.makeAffine(row.reduce(1, *))
        if seed % 2 == 0 {
            scenario.parameters[.axis] = .integer(firstAxis - scenario.dimensions.count)
        } else {
            scenario.parameters[.normalizedShape] = .integers(row)
        }
        let expected = Reference.layerNorm(scenario.x, firstAxis: firstAxis, scenario.epsilon, affine)
        let layer = try LayerNorm(LayerParameters(scenario.parameters))
        let position = Self.position(row, firstAxis)
        try scenario.check(layer, expected, affine, position: position, comment: "seed \(seed), axis \(firstAxis)")
    }

    @Test(arguments: 400..<440 as Range<UInt64>)
    func rmsNorm(seed: UInt64) throws {
        var scenario = try Scenario(seed: seed, ranks: 1...5)
        let firstAxis = Int.random(in: 0..<scenario.dimensions.count, using: &scenario.generator)
        let row = Array(scenario.dimensions[firstAxis...])
        var affine = try scenario.makeAffine(row.reduce(1, *))
        affine.bias = nil
        scenario.parameters[.bias] = nil
        scenario.parameters[.epsilonPlacement] = nil
        scenario.parameters[.normalizedShape] = .integers(row)
        var epsilon = scenario.epsilon.value
        if seed % 3 == 0 {
            scenario.parameters[.epsilon] = nil
            epsilon = scenario.dataType == .fp64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
        }
        let expected = Reference.rmsNorm(
            scenario.x,
            firstAxis: firstAxis,
            epsilon: epsilon,
            weight: affine.weight
        )
        let layer = try RMSNorm(LayerParameters(scenario.parameters))
        let position = Self.position(row, firstAxis)
        try scenario.check(layer, expected, affine, position: position, comment: "seed \(seed), axis \(firstAxis)")
    }

    /// More channels than a block of coefficients holds, in one group and in several, contiguous and not.
    @Test(arguments: [[3, 5000], [2, 2, 5000], [2, 5000, 2]], [DataType.fp32, .fp16, .fp64])
    func manyChannels(dimensions: [Int], dataType: DataType) throws {
        var generator = SeededGenerator(seed: 9)
        let values = try Tensor(
            (0..<dimensions.reduce(1, *)).map { _ in generator.normal() + 2 },
            dimensions,
            dataType
        ).values
        let axis = dimensions[1] == 5000 ? 1 : 2
        let x = ReferenceTensor(dimensions, values)
        let (mean, variance) = (generator.uniform(5000), generator.uniform(5000, in: 0.5...2))
        let affine = Reference.Affine(weight: generator.uniform(5000), bias: generator.uniform(5000))
        let shared: [ParameterName: ParameterValue] = [
            .weight: try .vector(affine.weight ?? []), .bias: try .vector(affine.bias ?? []),
            .dataFormat: .text(axis == 1 ? "channels_first" : "channels_last"),
        ]
        let epsilon = Reference.Epsilon(1e-5)
        let frozen: [ParameterName: ParameterValue] = [
            .runningMean: try .vector(mean), .runningVar: try .vector(variance),
        ]
        var cases: [(any NormalizationLayer, ReferenceTensor)] = [
            (
                try BatchNorm(LayerParameters(shared.merging(frozen) { $1 })),
                Reference.frozen(x, channelAxis: axis, mean: mean, variance: variance, epsilon, affine)
            ),
            (
                try BatchNorm(LayerParameters(shared.merging([.useBatchStatistics: .boolean(true)]) { $1 })),
                Reference.batchNorm(x, channelAxis: axis, epsilon, affine)
            ),
        ]
        for groupCount in [1, 2, 1000] {
            cases.append(
                (
                    try GroupNorm(LayerParameters(shared.merging([.groupCount: .integer(groupCount)]) { $1 })),
                    Reference.groupNorm(x, channelAxis: axis, groupCount: groupCount, epsilon, affine)
                )
            )
        }
        for (layer, expected) in cases {
            let results = try layer.apply(values, dimensions, dataType, into: .fp64)
            let error = zip(results, expected.elements).map { ($0 - $1).magnitude }.max() ?? .infinity
            #expect(error <= (dataType == .fp64 ? 1e-14 : 2e-6), "\(Swift.type(of: layer))")
        }
    }

    private static func position(_ row: [Int], _ firstAxis: Int) -> ([Int]) -> Int {
        { index in zip(row, index[firstAxis...]).reduce(0) { $0 * $1.0 + $1.1 } }
    }
}
