import Tensors

/// The kernels of one instruction set for numbers of one precision.
///
/// A class, so that handing it on copies one reference and not ten functions.
final class Kernels<Scalar>: Sendable {
    typealias Source = UnsafePointer<Scalar>
    typealias Destination = UnsafeMutablePointer<Scalar>

    /// (x, count, center) → Σ(x − center)
    let sumOfDifferences: @Sendable (Source, Int, Scalar) -> Double

    /// (x, count, center) → Σ(x − center), Σ(x − center)²
    let centeredSums: @Sendable (Source, Int, Scalar) -> (sum: Double, squares: Double)

    /// (x, rows, columns, stride, centers, sums): adds each column's Σ(x − center) to its sum.
    let addColumnDifferences: @Sendable (Source, Int, Int, Int, Source, UnsafeMutablePointer<Double>) -> Void

    /// (x, rows, columns, stride, centers, sums, squares): adds each column's Σ(x − center) and Σ(x − center)².
    let addCenteredColumnSums:
        @Sendable (
            Source, Int, Int, Int, Source, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>
        ) -> Void

    /// (x, y, count, mean, remainder, scale, shift)
    let normalizeSpan: @Sendable (Source, Destination, Int, Scalar, Scalar, Scalar, Scalar) -> Void

    /// (x, y, count, mean, remainder, scale, weight, bias)
    let normalizeRow: @Sendable (Source, Destination, Int, Scalar, Scalar, Scalar, Source, Source?) -> Void

    /// (x, y, rows, columns, stride, means, remainders, scales, shifts)
    let normalizeColumns: @Sendable (Source, Destination, Int, Int, Int, Source, Source, Source, Source) -> Void

    /// From the elements of a tensor, by their type; none for `Scalar` itself.
    let reading: [DataType: @Sendable (UnsafeRawPointer, Destination, Int) -> Void]

    /// To the elements of a tensor, by their type; none for `Scalar` itself.
    let writing: [DataType: @Sendable (Source, UnsafeMutableRawPointer, Int) -> Void]

    init(
        sumOfDifferences: @escaping @Sendable (Source, Int, Scalar) -> Double,
        centeredSums: @escaping @Sendable (Source, Int, Scalar) -> (sum: Double, squares: Double),
        addColumnDifferences: @escaping @Sendable (Source, Int, Int, Int, Source, UnsafeMutablePointer<Double>) -> Void,
        addCenteredColumnSums:
            @escaping @Sendable (
                Source, Int, Int, Int, Source, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>
            ) -> Void,
        normalizeSpan: @escaping @Sendable (Source, Destination, Int, Scalar, Scalar, Scalar, Scalar) -> Void,
        normalizeRow: @escaping @Sendable (Source, Destination, Int, Scalar, Scalar, Scalar, Source, Source?) -> Void,
        normalizeColumns:
            @escaping @Sendable (Source, Destination, Int, Int, Int, Source, Source, Source, Source) -> Void,
        reading: [DataType: @Sendable (UnsafeRawPointer, Destination, Int) -> Void],
        writing: [DataType: @Sendable (Source, UnsafeMutableRawPointer, Int) -> Void]
    ) {
        self.sumOfDifferences = sumOfDifferences
        self.centeredSums = centeredSums
        self.addColumnDifferences = addColumnDifferences
        self.addCenteredColumnSums = addCenteredColumnSums
        self.normalizeSpan = normalizeSpan
        self.normalizeRow = normalizeRow
        self.normalizeColumns = normalizeColumns
        self.reading = reading
        self.writing = writing
    }
}

/// The kernels of one instruction set.
struct KernelSet: Sendable {
    let float: Kernels<Float>
    let double: Kernels<Double>

    static let current = of(.current)

    /// The kernels for an instruction set that the processor has.
    static func of(_ instructionSet: InstructionSet) -> Self {
        #if arch(x86_64)
        switch instructionSet {
        case .baseline: .baseline
        case .avx2: .avx2
        case .avx512: .avx512
        }
        #else
        .baseline
        #endif
    }
}
