import Tensors
import Testing

@testable import Normalization

/// The statistics that are computed in FP32 against FP64, for data of any offset and any kind of group.
///
/// 1/sqrt(variance) is rounded to FP32 before it is used: half a unit in the last place, 2⁻²⁴. The sums that it comes
/// from add no more than that: of eight roundings per lane, relative to a sum that grows from zero, and one of each
/// difference there remain a few times 2⁻²⁴ of the variance even if all have the same sign, and half of that of its
/// root.
@Suite struct StatisticsTests {
    private static let tolerance = 0x1p-24
    private static let offsets: [Double] = [0, 1e2, 1e3, 3e3, 5e3, 1e4, 2e4, 3e4, 1e5, 1e6, -1e3, -1e4, -3e4, -1e6]

    @Test(arguments: offsets)
    func contiguous(offset: Double) throws {
        for count in [3, 16, 31, 100, 257, 768, 4097, 12_544] {
            for seed in 0..<2 {
                let values = self.values(count, offset, seed: seed)
                try self.check(values, "\(count) elements, seed \(seed)") { input, kernelSet in
                    try self.moments(of: [0..<count], input, kernelSet)
                }
                try self.check(values, "a row of \(count), seed \(seed)") { input, kernelSet in
                    var source = try ElementSource(input, kernels: kernelSet.float)
                    let (mean, remainder, variance) = (
                        try Vector<Double>(count: 1), try Vector<Double>(count: 1), try Vector<Double>(count: 1)
                    )
                    kernelSet.float.rowMoments(
                        source.load(0..<count),
                        1,
                        count,
                        mean.pointer,
                        remainder.pointer,
                        variance.pointer
                    )
                    var moments = Moments(spread: variance[0])
                    (moments.mean, moments.remainder) = (mean[0], remainder[0])
                    return moments
                }
            }
        }
    }

    /// As the statistics of a batch.
    @Test(arguments: offsets)
    func ranges(offset: Double) throws {
        for seed in 0..<2 {
            let values = self.values(5 * 2500, offset, seed: seed)
            try self.check(values, "seed \(seed)") { input, kernelSet in
                try self.moments(of: (0..<5).map { $0 * 2500..<($0 + 1) * 2500 }, input, kernelSet)
            }
        }
    }

    /// All columns of a matrix are one group: none of their errors may be systematic.
    @Test(arguments: offsets)
    func columns(offset: Double) throws {
        for (rows, columns) in [(3, 40), (64, 40), (200, 40), (3000, 3), (4000, 1)] {
            for seed in 0..<2 {
                let values = self.values(rows * columns, offset, seed: seed)
                try self.check(values, "\(rows) rows of \(columns), seed \(seed)") { input, kernelSet in
                    var source = try ElementSource(input, kernels: kernelSet.float)
                    let matrix = ColumnMatrix(
                        rows: 0..<rows,
                        columns: 0..<columns,
                        width: columns,
                        columnsPerGroup: columns
                    )
                    return try ColumnStatistics(kernelSet.float).take(.moments, of: matrix, &source)[0]
                }
            }
        }
    }

    /// Types that are converted; numbers that come again and again are rounded the same way each time.
    @Test(arguments: [DataType.bool, .uint8, .int16, .fp16, .bf16])
    func converted(dataType: DataType) throws {
        var generator = SeededGenerator(seed: 11)
        for limit in [1.0, 2, 9, 100] {
            let values = (0..<9000).map { _ -> Double in
                let value = Double.random(in: 0...1, using: &generator)
                return dataType == .bool ? (value * limit < 0.3 ? 1 : 0) : (value * limit).rounded()
            }
            try self.check(values, as: dataType, "up to \(limit)") { input, kernelSet in
                try self.moments(of: [0..<values.count], input, kernelSet)
            }
        }
    }

    @Test func millionElements() throws {
        try self.check(self.values(1_000_000, 1e4, seed: 1), "offset 1e4") { input, kernelSet in
            try self.moments(of: [0..<1_000_000], input, kernelSet)
        }
    }

    private func values(_ count: Int, _ offset: Double, seed: Int) -> [Double] {
        var generator = SeededGenerator(seed: UInt64(seed))
        return (0..<count).map { _ in Double(Float(generator.normal() + offset)) }
    }

    private func moments(of ranges: [Range<Int>], _ input: Tensor, _ kernelSet: KernelSet) throws -> Moments {
        var source = try ElementSource(input, kernels: kernelSet.float)
        return source.moments(of: ranges, .moments, kernelSet.float)
    }

    /// Holds the moments against their definition in FP64.
    private func check(
        _ values: [Double],
        as dataType: DataType = .fp32,
        _ description: String,
        moments: (Tensor, KernelSet) throws -> Moments
    ) throws {
        let input = try Tensor(values, [values.count], dataType)
        let mean = values.reduce(0) { $0 + ($1 - values[0]) } / Double(values.count) + values[0]
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        for (instructionSet, kernelSet) in kernelSets {
            let moments = try moments(input, kernelSet)
            let rootError = (variance / moments.spread).squareRoot() - 1
            #expect(rootError.magnitude <= Self.tolerance, "\(instructionSet), \(description)")
            let meanError = ((moments.mean - mean) + moments.remainder) / variance.squareRoot()
            #expect(meanError.magnitude <= Self.tolerance, "\(instructionSet), \(description)")
        }
    }
}
