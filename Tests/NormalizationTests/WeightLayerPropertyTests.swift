import Tensors
import Testing

@testable import Normalization

/// Random layers for weights and for data before a network, against their references.
@Suite struct WeightLayerPropertyTests {
    private static let dim = ParameterName(rawValue: "dim")

    /// A random input without parameters; eps and its placement where the layer takes them.
    private func scenario(
        _ seed: UInt64,
        ranks: ClosedRange<Int> = 1...5,
        keeping names: [ParameterName] = []
    ) throws -> Scenario {
        var scenario = try Scenario(seed: seed, ranks: ranks)
        scenario.parameters = scenario.parameters.filter { names.contains($0.key) }
        return scenario
    }

    /// One of the axes, and how a request may name it.
    private func axis(_ scenario: inout Scenario) -> (axis: Int, parameter: ParameterValue) {
        let rank = scenario.dimensions.count
        let axis = Int.random(in: 0..<rank, using: &scenario.generator)
        return (axis, .integer(Bool.random(using: &scenario.generator) ? axis : axis - rank))
    }

    @Test(arguments: 2000..<2030 as Range<UInt64>)
    func weightNorm(seed: UInt64) throws {
        var scenario = try self.scenario(seed)
        var (axis, parameter) = self.axis(&scenario)
        if seed % 3 == 0 {
            axis = 0
        } else {
            scenario.parameters[Self.dim] = parameter
        }
        let count = scenario.dimensions[axis]
        let g = scenario.generator.uniform(count, in: -2...2)
        // As torch keeps it, or flat.
        let shape =
            Bool.random(using: &scenario.generator)
            ? [count] : scenario.dimensions.indices.map { $0 == axis ? count : 1 }
        parameter = .tensor(try Tensor(g, shape))
        scenario.parameters[ParameterName(rawValue: "weight_g")] = parameter
        let expected = Reference.weightNorm(scenario.x, axis: axis, g: g)
        var bounds = Scenario.Bounds()
        bounds.weight = { g[$0[axis]] }
        try scenario.check("weight_norm", expected, bounds, comment: "seed \(seed), dim \(axis)")
    }

    @Test(arguments: 2100..<2125 as Range<UInt64>)
    func weightStandardization(seed: UInt64) throws {
        var scenario = try self.scenario(seed, ranks: 2...5, keeping: [.epsilon, .epsilonPlacement])
        var gain: [Double]?
        if Bool.random(using: &scenario.generator) {
            let (values, parameter) = try scenario.makeVector(scenario.dimensions[0], in: -2...2)
            gain = values
            scenario.parameters[ParameterName(rawValue: "gain")] = parameter
        }
        let expected = Reference.weightStandardization(scenario.x, gain: gain, scenario.epsilon)
        let bounds = Scenario.Bounds(Reference.Affine(weight: gain)) { $0[0] }
        try scenario.check("weight_standardization", expected, bounds, comment: "seed \(seed)")
    }

    @Test(arguments: 2200..<2225 as Range<UInt64>)
    func standardize(seed: UInt64) throws {
        var scenario = try self.scenario(seed)
        var (axis, parameter) = self.axis(&scenario)
        if seed % 3 == 0 {
            axis = scenario.dimensions.count - 1
        } else {
            scenario.parameters[.axis] = parameter
        }
        let mean = scenario.generator.uniform(scenario.dimensions[axis], in: -3...3)
        var deviation = scenario.generator.uniform(scenario.dimensions[axis], in: 0.1...2)
        for feature in stride(from: 1, to: deviation.count, by: 3) { deviation[feature] = 0 }
        scenario.parameters[ParameterName(rawValue: "mean")] = try .vector(mean)
        parameter = try .vector(deviation, .fp64)
        scenario.parameters[ParameterName(rawValue: "std")] = parameter
        let expected = Reference.standardize(scenario.x, axis: axis, mean: mean, deviation: deviation)
        try scenario.check("standardize", expected, .init(), comment: "seed \(seed), axis \(axis)")
    }

    @Test(arguments: 2300..<2340 as Range<UInt64>)
    func meanVarianceNorm(seed: UInt64) throws {
        var scenario = try self.scenario(seed, ranks: seed % 3 == 0 ? 2...5 : 1...5)
        let rank = scenario.dimensions.count
        var axes = (0..<rank).filter { $0 != 1 }
        if seed % 3 != 0 {
            axes = (0..<rank).filter { _ in Bool.random(using: &scenario.generator) }
            if axes.isEmpty { axes = [rank - 1] }
            let written = axes.shuffled(using: &scenario.generator).map { axis in
                Bool.random(using: &scenario.generator) ? axis : axis - rank
            }
            scenario.parameters[ParameterName(rawValue: "axes")] = .integers(written)
        }
        var epsilon = 1e-9
        if seed % 2 == 0 {
            epsilon = scenario.epsilon.value
            scenario.parameters[.epsilon] = .real(epsilon)
        }
        let expected = Reference.meanVarianceNorm(scenario.x, axes: axes, epsilon: epsilon)
        try scenario.check("mean_variance_norm", expected, .init(), comment: "seed \(seed), axes \(axes)")
    }

    @Test(arguments: 2400..<2440 as Range<UInt64>)
    func lpNorm(seed: UInt64) throws {
        var scenario = try self.scenario(seed)
        var (axis, parameter) = self.axis(&scenario)
        if seed % 3 == 0 {
            axis = scenario.dimensions.count - 1
        } else {
            scenario.parameters[.axis] = parameter
        }
        let orders: [(Reference.Norm, ParameterValue?)] = [
            (.euclidean, nil), (.euclidean, .integer(2)), (.sum, .integer(1)), (.largest, .text("inf")),
        ]
        let (norm, order) = orders[Int(seed % 4)]
        scenario.parameters[ParameterName(rawValue: "p")] = order
        var epsilon = 1e-12
        if seed % 5 == 1 {
            // More than some of the norms.
            epsilon = 2
            parameter = .real(epsilon)
            scenario.parameters[.epsilon] = parameter
        }
        let expected = Reference.lpNorm(scenario.x, axis: axis, norm, epsilon: epsilon)
        try scenario.check("lp_norm", expected, .init(), comment: "seed \(seed), axis \(axis), \(norm)")
    }
}
