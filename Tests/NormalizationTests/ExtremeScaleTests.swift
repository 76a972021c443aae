import Tensors
import Testing

@testable import Normalization

/// Scales that FP32 has no number for: 1/σ of subnormal elements, γ/σ of large weights, 1/sqrt(eps) of a tiny eps.
@Suite struct ExtremeScaleTests {
    private func apply(
        _ typeName: String,
        _ parameters: [ParameterName: ParameterValue],
        _ values: [Double],
        _ dimensions: [Int],
        _ dataType: DataType = .fp32,
        into outputType: DataType? = nil
    ) throws -> [[Double]] {
        let type = try #require(LayerType.named(typeName))
        let layer = try type.makeLayer(LayerParameters(parameters))
        return try kernelSets.map { _, kernels in
            try layer.apply(values, dimensions, dataType, into: outputType, kernels: kernels)
        }
    }

    private func isClose(_ results: [Double], _ expected: [Double], _ tolerance: Double = 1e-6) -> Bool {
        zip(results, expected).allSatisfy { ($0 - $1).magnitude <= tolerance * max(1, $1.magnitude) }
    }

    @Test func subnormalElementsAreNormalized() throws {
        let small = [3e-42, 4e-42].map { Double(Float($0)) }
        let norm = (small[0] * small[0] + small[1] * small[1]).squareRoot()
        for results in try self.apply("weight_norm", [.weightG: .vector([1])], small, [1, 2]) {
            #expect(self.isClose(results, small.map { $0 / norm }))
        }
        for results in try self.apply("lp_norm", [.p: .real(1), .epsilon: .real(0)], [1e38, 1e38, 1e38, 1e38], [4]) {
            #expect(self.isClose(results, [0.25, 0.25, 0.25, 0.25], 1e-7))
        }
    }

    @Test func zeroVarianceGivesBiasWhateverEpsilon() throws {
        for epsilon in [0, 1e-300, 1e-80, 1e-45] {
            for results in try self.apply(
                "layer_norm",
                [.axis: .integer(-1), .epsilon: .real(epsilon)],
                [3, 3],
                [1, 2]
            ) {
                #expect(results == [0, 0], "eps \(epsilon)")
            }
            for results in try self.apply("lp_norm", [.epsilon: .real(epsilon)], [0, 0], [1, 2]) {
                #expect(results == [0, 0], "eps \(epsilon)")
            }
        }
        let parameters: [ParameterName: ParameterValue] = [
            .runningMean: try .vector([3]), .runningVar: try .vector([0]), .epsilon: .real(1e-80),
        ]
        for results in try self.apply("batch_norm", parameters, [3, 3], [2, 1]) {
            #expect(results == [0, 0])
        }
        for results in try self.apply("instance_norm", [.weight: .vector([3e38])], [-0.1, 0, 0.1], [1, 1, 3]) {
            #expect(results[1] == 0 && results[0] == -.infinity && results[2] == .infinity)
        }
    }

    /// What is multiplied in two steps for its neighbour's sake keeps its bits, the sign of zero included.
    @Test(arguments: [DataType.fp32, .fp16, .bf16], [[1, 2, 40], [1, 40, 2]])
    func neighboursKeepTheirBits(dataType: DataType, dimensions: [Int]) throws {
        var generator = SeededGenerator(seed: 8)
        let isLast = dimensions[1] == 40
        var values = (0..<80).map { _ in generator.normal() }
        values[isLast ? 2 : 1] = -0.0
        let format = ParameterValue.text(isLast ? "channels_last" : "channels_first")
        func frozen(_ secondVariance: Double) throws -> [[Double]] {
            let parameters: [ParameterName: ParameterValue] = [
                .runningMean: try .vector([0, 0]), .runningVar: try .vector([2, secondVariance]), .dataFormat: format,
                .epsilon: .real(1e-90),
            ]
            return try self.apply("batch_norm", parameters, values, dimensions, dataType)
        }
        for (plain, mixed) in zip(try frozen(1), try frozen(0)) {
            let first = { (results: [Double]) in
                isLast
                    ? stride(from: 0, to: 80, by: 2).map { results[$0].bitPattern } : results[..<40].map(\.bitPattern)
            }
            #expect(first(plain) == first(mixed))
        }
    }
}
