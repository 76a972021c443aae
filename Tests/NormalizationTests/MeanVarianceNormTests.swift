import Tensors
import Testing

@testable import Normalization

/// Every set of axes, whether a layout has them side by side or the elements are permuted.
@Suite struct MeanVarianceNormTests {
    /// Each element by the mean and the deviation of those that have its index along the kept axes, in FP64.
    private func reference(_ x: ReferenceTensor, _ axes: [Int], epsilon: Double) -> [Double] {
        func key(_ index: [Int]) -> [Int] { index.enumerated().map { axes.contains($0.offset) ? 0 : $0.element } }
        var groups: [[Int]: [Double]] = [:]
        for index in x.indices {
            groups[key(index), default: []].append(x[index])
        }
        return x.indices.map { index in
            let group = groups[key(index)] ?? []
            let mean = group.reduce(0, +) / Double(group.count)
            let variance = group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(group.count)
            return (x[index] - mean) / (variance.squareRoot() + epsilon)
        }
    }

    private static func subsets(of rank: Int) -> [[Int]] {
        (1..<1 << rank).map { bits in (0..<rank).filter { bits & 1 << $0 != 0 } }
    }

    @Test(arguments: [[5], [3, 4], [2, 3, 4], [3, 2, 4, 5], [2, 3, 2, 3, 4], [1, 3, 1, 2, 4], [7, 1, 5], [1, 1]])
    func everySetOfAxes(dimensions: [Int]) throws {
        var generator = SeededGenerator(seed: 11)
        let values = (0..<dimensions.reduce(1, *)).map { _ in Double(Float16(generator.normal() + 3)) }
        for axes in Self.subsets(of: dimensions.count) {
            let expected = self.reference(ReferenceTensor(dimensions, values), axes, epsilon: 1e-9)
            let layer = try MeanVarianceNorm(LayerParameters([.axes: .integers(axes.reversed())]))
            for (dataType, outputType) in [
                (DataType.fp32, DataType.fp32), (.fp16, .fp32), (.fp64, .fp64), (.fp32, .bf16), (.int32, .fp16),
            ] {
                let values = dataType == .int32 ? values.map { $0.rounded() } : values
                let expected =
                    dataType == .int32
                    ? self.reference(ReferenceTensor(dimensions, values), axes, epsilon: 1e-9) : expected
                let results = try layer.apply(values, dimensions, dataType, into: outputType)
                for (result, expected) in zip(results, expected) {
                    let tolerance = tolerance(
                        expected,
                        weight: 1,
                        bias: 0,
                        computesInDouble: dataType.computesInDouble,
                        output: outputType
                    )
                    #expect((result - expected).magnitude <= tolerance, "axes \(axes), \(dataType), \(outputType)")
                }
            }
        }
    }

    /// Permuted and not, the same elements give the same bits: what is normalized together is contiguous in both.
    @Test func permutingChangesNothing() throws {
        var generator = SeededGenerator(seed: 12)
        let dimensions = [3, 40, 5, 17]
        let values = (0..<3 * 40 * 5 * 17).map { _ in generator.normal() }
        func index(_ n: Int, _ c: Int, _ h: Int, _ w: Int) -> Int { ((n * 40 + c) * 5 + h) * 17 + w }
        let order = (0..<3).flatMap { n in
            (0..<5).flatMap { h in (0..<40).flatMap { c in (0..<17).map { w in index(n, c, h, w) } } }
        }
        let permuted = try MeanVarianceNorm(LayerParameters([.axes: .integers([1, 3])]))
            .apply(values, dimensions)
        let contiguous = try MeanVarianceNorm(LayerParameters([.axes: .integers([2, 3])]))
            .apply(order.map { values[$0] }, [3, 5, 40, 17])
        #expect(order.map { permuted[$0] } == contiguous)
    }

    @Test func threadsChangeNothing() throws {
        var generator = SeededGenerator(seed: 13)
        let dimensions = [64, 8, 64, 24]
        let values = (0..<64 * 8 * 64 * 24).map { _ in Double(generator.next() % 1000) }
        for axes in [[0, 2], [1, 3], [0, 2, 3], [1]] {
            let layer = try MeanVarianceNorm(LayerParameters([.axes: .integers(axes)]))
            let single = try layer.normalize(Tensor(values, dimensions), into: .fp32, threadCount: 1)
            let several = try layer.normalize(Tensor(values, dimensions), into: .fp32, threadCount: 4)
            #expect(single.output.bits == several.output.bits)
        }
    }

    @Test func defaultsToAllAxesButTheChannels() throws {
        var generator = SeededGenerator(seed: 14)
        let values = (0..<120).map { _ in generator.normal() }
        func apply(_ axes: [Int]?, _ dimensions: [Int]) throws -> [Double] {
            try MeanVarianceNorm(LayerParameters(axes.map { [.axes: .integers($0)] } ?? [:])).apply(values, dimensions)
        }
        #expect(try apply(nil, [2, 3, 4, 5]) == apply([0, 2, 3], [2, 3, 4, 5]))
        #expect(try apply(nil, [24, 5]) == apply([0], [24, 5]))
        #expect(try apply(nil, [120]) == apply([0], [120]))
    }

    @Test func zeroVarianceGivesZero() throws {
        for epsilon in [0, 1e-9] {
            for axes in Self.subsets(of: 4) {
                let layer = try MeanVarianceNorm(
                    LayerParameters([.axes: .integers(axes), .epsilon: .real(epsilon)])
                )
                #expect(try layer.apply([Double](repeating: 0.1, count: 120), [2, 3, 4, 5]).allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func nothingIsNormalizedToNothing() throws {
        for axes in Self.subsets(of: 4) {
            let layer = try MeanVarianceNorm(LayerParameters([.axes: .integers(axes)]))
            #expect(try layer.apply([], [2, 0, 3, 4]).isEmpty)
        }
    }
}
