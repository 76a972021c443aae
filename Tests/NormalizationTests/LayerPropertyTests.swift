import Tensors
import Testing

@testable import Normalization

/// Random layers on random inputs, every instruction set, held against the FP64 reference.
@Suite struct LayerPropertyTests {
    /// One random input and how it is to be normalized.
    private struct Scenario {
        let dimensions: [Int]
        let values: [Double]
        let dataType: DataType
        let outputType: DataType
        let isChannelsLast: Bool
        let epsilon: Reference.Epsilon
        var parameters: [ParameterName: ParameterValue]
        var generator: SeededGenerator

        var channelAxis: Int { self.isChannelsLast ? self.dimensions.count - 1 : 1 }
        var channelCount: Int { self.dimensions[self.channelAxis] }
        var x: ReferenceTensor { ReferenceTensor(self.dimensions, self.values) }

        init(seed: UInt64, ranks: ClosedRange<Int> = 2...5) throws {
            var generator = SeededGenerator(seed: seed)
            let rank = Int.random(in: ranks, using: &generator)
            // Sizes around those of vectors, of blocks of rows, and of narrow channels.
            let limit = [0, 700, 40, 14, 7, 4][rank]
            self.dimensions = (0..<rank).map { _ in Int.random(in: 1...limit, using: &generator) }
            self.dataType = DataType.allCases.randomElement(using: &generator) ?? .fp32
            self.outputType = [.fp16, .bf16, .fp32, .fp64].randomElement(using: &generator) ?? .fp32
            self.isChannelsLast = Bool.random(using: &generator)
            let count = self.dimensions.reduce(1, *)
            let offset = [0, 3, 100].randomElement(using: &generator) ?? 0
            let type = self.dataType
            let raw = (0..<count).map { _ -> Double in
                switch type {
                case .bool: Double(Int.random(in: 0...1, using: &generator))
                case .uint8, .uint16, .uint32, .uint64: Double(Int.random(in: 0...255, using: &generator))
                case .int8, .int16: Double(Int.random(in: -128...127, using: &generator))
                case .int32, .int64: Double(Int.random(in: -1_000_000_000...1_000_000_000, using: &generator))
                default: generator.normal() + Double(offset)
                }
            }
            self.values = try Tensor(raw, self.dimensions, self.dataType).values
            let epsilon = [1e-5, 1e-3, 0.5].randomElement(using: &generator) ?? 1e-5
            self.epsilon = Reference.Epsilon(epsilon, isAddedToStandardDeviation: Bool.random(using: &generator))
            self.parameters = [
                .epsilon: .real(epsilon),
                .epsilonPlacement: .text(self.epsilon.isAddedToStandardDeviation ? "std" : "variance"),
            ]
            self.generator = generator
        }

        /// γ and β, each there or not.
        mutating func makeAffine(_ count: Int) throws -> Reference.Affine {
            var affine = Reference.Affine()
            if Bool.random(using: &self.generator) {
                affine.weight = self.generator.uniform(count, in: -2...2)
            }
            if Bool.random(using: &self.generator) {
                affine.bias = self.generator.uniform(count, in: -2...2)
            }
            // FP64 parameters hold the same numbers, and take another way.
            let type: DataType = Bool.random(using: &self.generator) ? .fp32 : .fp64
            self.parameters[.weight] = try affine.weight.map { try .vector($0, type) }
            self.parameters[.bias] = try affine.bias.map { try .vector($0, type) }
            return affine
        }

        /// Runs the layer with every instruction set, and holds it against the reference.
        func check(
            _ layer: any NormalizationLayer,
            _ expected: ReferenceTensor,
            _ affine: Reference.Affine,
            position: ([Int]) -> Int,
            comment: Comment
        ) throws {
            let indices = expected.indices
            for (name, kernels) in kernelSets {
                let results = try layer.apply(
                    self.values,
                    self.dimensions,
                    self.dataType,
                    into: self.outputType,
                    kernels: kernels
                )
                var wrong = 0
                for (offset, result) in results.enumerated() {
                    let position = position(indices[offset])
                    let tolerance = tolerance(
                        expected.elements[offset],
                        weight: affine.weight?[position] ?? 1,
                        bias: affine.bias?[position] ?? 0,
                        computesInDouble: self.dataType.computesInDouble,
                        output: self.outputType
                    )
                    // IEEE 754: what rounds to more than the largest finite FP16 is infinite.
                    if self.outputType == .fp16, expected.elements[offset].magnitude >= 65520 {
                        if result != expected.elements[offset].sign.infinity { wrong += 1 }
                        continue
                    }
                    if !((result - expected.elements[offset]).magnitude <= tolerance) { wrong += 1 }
                }
                #expect(
                    wrong == 0,
                    "\(comment) \(name) \(self.dimensions) \(self.dataType) to \(self.outputType)"
                )
            }
        }
    }

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
            #expect(error <= (dataType == .fp64 ? 1e-12 : 2e-6), "\(Swift.type(of: layer))")
        }
    }

    private static func position(_ row: [Int], _ firstAxis: Int) -> ([Int]) -> Int {
        { index in zip(row, index[firstAxis...]).reduce(0) { $0 * $1.0 + $1.1 } }
    }
}

extension FloatingPointSign {
    fileprivate var infinity: Double { self == .plus ? .infinity : -.infinity }
}
