import Tensors
import Testing

@testable import Normalization

/// Random layers that put several statistics together, and those that divide by a response, against their references.
@Suite struct ComposedLayerPropertyTests {
    /// A random input with a data format, and parameters of its channels.
    private struct ChannelScenario {
        var scenario: Scenario
        let affine: Reference.Affine

        var axis: Int { self.scenario.channelAxis }
        var count: Int { self.scenario.channelCount }

        init(seed: UInt64, hasPlacement: Bool = true) throws {
            var scenario = try Scenario(seed: seed)
            self.affine = try scenario.makeAffine(scenario.channelCount)
            scenario.parameters[.dataFormat] = .text(scenario.isChannelsLast ? "channels_last" : "channels_first")
            if !hasPlacement { scenario.parameters[.epsilonPlacement] = nil }
            self.scenario = scenario
        }

        /// Adds a vector of one number per channel, or of another length.
        mutating func add(_ name: String, _ count: Int? = nil, in range: ClosedRange<Double>) throws -> [Double] {
            let (values, parameter) = try self.scenario.makeVector(count ?? self.count, in: range)
            self.scenario.parameters[ParameterName(rawValue: name)] = parameter
            return values
        }

        mutating func set(_ name: String, _ value: ParameterValue) {
            self.scenario.parameters[ParameterName(rawValue: name)] = value
        }

        mutating func flip() -> Bool { Bool.random(using: &self.scenario.generator) }

        func bounds(_ key: (([Int]) -> [Int])? = nil, of y: ReferenceTensor? = nil) -> Scenario.Bounds {
            let axis = self.axis
            var bounds = Scenario.Bounds(self.affine) { $0[axis] }
            if let key, let y { bounds.peak = self.scenario.peaks(of: y, key) }
            return bounds
        }
    }

    @Test(arguments: 500..<530 as Range<UInt64>)
    func batchRenorm(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed)
        let mean = try random.add("running_mean", in: -3...3)
        let moving: Reference.MovingDeviation =
            random.flip()
            ? .variance(try random.add("running_var", in: 0...4))
            : .deviation(try random.add("running_std", in: 0.1...2))
        let (axis, x, epsilon) = (random.axis, random.scenario.x, random.scenario.epsilon)
        guard random.flip() else {
            let expected = Reference.batchRenorm(x, channelAxis: axis, mean: mean, moving, epsilon, random.affine)
            return try random.scenario.check("batch_renorm", expected, random.bounds(), comment: "seed \(seed)")
        }
        random.set("use_batch_statistics", .boolean(true))
        var (ratio, distance) = (3.0, 5.0)
        if random.flip() {
            // Limits of 1 and 0 make it batch_norm.
            ratio = [1, 1.25, 1000].randomElement(using: &random.scenario.generator) ?? 1
            distance = [0, 0.5, 1000].randomElement(using: &random.scenario.generator) ?? 0
            random.set("r_max", .real(ratio))
            random.set("d_max", .real(distance))
        }
        let expected = Reference.batchRenorm(
            x,
            channelAxis: axis,
            mean: mean,
            moving,
            largestRatio: ratio,
            largestDistance: distance,
            epsilon,
            random.affine
        )
        let bounds = random.bounds({ [$0[axis]] }, of: expected)
        try random.scenario.check("batch_renorm", expected, bounds, comment: "seed \(seed), of the batch")
    }

    @Test(arguments: 600..<625 as Range<UInt64>)
    func batchInstanceNorm(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed)
        let axis = random.axis
        let expected = Reference.batchInstanceNorm(
            random.scenario.x,
            channelAxis: axis,
            mean: try random.add("running_mean", in: -3...3),
            variance: try random.add("running_var", in: 0.1...4),
            rho: try random.add("rho", in: 0...1),
            random.scenario.epsilon,
            random.affine
        )
        let bounds = random.bounds({ [$0[0], $0[axis]] }, of: expected)
        try random.scenario.check("batch_instance_norm", expected, bounds, comment: "seed \(seed)")
    }

    @Test(arguments: 700..<725 as Range<UInt64>)
    func switchableNorm(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed)
        let expected = Reference.switchableNorm(
            random.scenario.x,
            channelAxis: random.axis,
            mean: try random.add("running_mean", in: -3...3),
            variance: try random.add("running_var", in: 0.1...4),
            Reference.Switches(
                mean: try random.add("mean_weight", 3, in: -3...3),
                variance: try random.add("var_weight", 3, in: -3...3)
            ),
            random.scenario.epsilon,
            random.affine
        )
        // The error of a sample's mean is relative to the deviation of all its channels.
        let bounds = random.bounds({ [$0[0]] }, of: expected)
        try random.scenario.check("switchable_norm", expected, bounds, comment: "seed \(seed)")
    }

    @Test(arguments: 800..<825 as Range<UInt64>)
    func adaptiveInstanceNormOfNumbers(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed)
        random.scenario.parameters[.weight] = nil
        random.scenario.parameters[.bias] = nil
        let (axis, count, sampleCount) = (random.axis, random.count, random.scenario.dimensions[0])
        // One number per channel, or one per channel of each sample.
        let isPerSample = random.flip()
        var styles: [[Double]] = []
        for (name, range) in [("style_mean", -2.0...2.0), ("style_std", 0.0...2.0)] {
            let values = try random.add(name, count * (isPerSample ? sampleCount : 1), in: range)
            if isPerSample {
                random.set(name, .tensor(try Tensor(values, [sampleCount, count])))
            }
            styles.append(values)
        }
        let position: ([Int]) -> Int = { isPerSample ? $0[0] * count + $0[1] : $0[1] }
        let expected = Reference.adaptiveInstanceNorm(
            random.scenario.x,
            channelAxis: axis,
            styleMean: { styles[0][position($0)] },
            styleDeviation: { styles[1][position($0)] },
            random.scenario.epsilon
        )
        var bounds = Scenario.Bounds()
        bounds.weight = { styles[1][position([$0[0], $0[axis]])] }
        bounds.bias = { styles[0][position([$0[0], $0[axis]])] }
        try random.scenario.check("adaptive_instance_norm", expected, bounds, comment: "seed \(seed)")
    }

    @Test(arguments: 900..<925 as Range<UInt64>)
    func adaptiveInstanceNormOfStyle(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed)
        random.scenario.parameters[.weight] = nil
        random.scenario.parameters[.bias] = nil
        let sampleCount = random.flip() ? 1 : random.scenario.dimensions[0]
        let spatial = (0..<Int.random(in: 0...3, using: &random.scenario.generator)).map { _ in
            Int.random(in: 1...5, using: &random.scenario.generator)
        }
        let isLast = random.scenario.isChannelsLast
        let dimensions = [sampleCount] + (isLast ? spatial + [random.count] : [random.count] + spatial)
        let raw = (0..<dimensions.reduce(1, *)).map { _ in random.scenario.generator.normal() * 2 + 1 }
        let tensor = try Tensor(raw, dimensions, random.flip() ? .fp32 : .fp16)
        random.set("style", .tensor(tensor))
        let style = ReferenceTensor(dimensions, tensor.values)
        let expected = Reference.adaptiveInstanceNorm(
            random.scenario.x,
            channelAxis: random.axis,
            style: style,
            styleAxis: isLast ? dimensions.count - 1 : 1,
            random.scenario.epsilon
        )
        var bounds = Scenario.Bounds()
        let largest = style.elements.map(\.magnitude).max() ?? 0
        bounds.weight = { _ in largest }
        bounds.bias = { _ in largest }
        try random.scenario.check(
            "adaptive_instance_norm",
            expected,
            bounds,
            comment: "seed \(seed), style \(dimensions) \(tensor.dataType)"
        )
    }

    @Test(arguments: 1000..<1025 as Range<UInt64>)
    func filterResponseNorm(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed, hasPlacement: false)
        if seed % 4 == 0 { random.scenario.parameters[.epsilon] = nil }
        let expected = Reference.filterResponseNorm(
            random.scenario.x,
            channelAxis: random.axis,
            epsilon: seed % 4 == 0 ? 1e-6 : random.scenario.epsilon.value,
            random.affine,
            threshold: random.flip() ? try random.add("tau", in: -1...1) : nil
        )
        try random.scenario.check("filter_response_norm", expected, random.bounds(), comment: "seed \(seed)")
    }

    @Test(arguments: 1100..<1125 as Range<UInt64>)
    func globalResponseNorm(seed: UInt64) throws {
        var random = try ChannelScenario(seed: seed, hasPlacement: false)
        if seed % 4 == 0 { random.scenario.parameters[.epsilon] = nil }
        let (axis, x, bias) = (random.axis, random.scenario.x, random.affine.bias)
        let expected = Reference.globalResponseNorm(
            x,
            channelAxis: axis,
            epsilon: seed % 4 == 0 ? 1e-6 : random.scenario.epsilon.value,
            weight: random.affine.weight,
            bias: bias
        )
        var bounds = random.bounds()
        // x and its response may cancel.
        bounds.peak = { index in
            x[index].magnitude + (expected[index] - x[index] - (bias?[index[axis]] ?? 0)).magnitude
        }
        try random.scenario.check("global_response_norm", expected, bounds, comment: "seed \(seed)")
    }
}
