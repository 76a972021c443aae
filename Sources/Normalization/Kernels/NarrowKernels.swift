/// Kernels that normalize elements of 16 bits in `Scalar`, which is FP32, without a detour over memory.
struct NarrowKernels<Scalar>: Sendable {
    typealias Coefficients = UnsafePointer<Scalar>

    /// (x, y, spanCount, spanLength, means, remainders, scales, shifts, prefetchDistance)
    let normalizeSpans:
        @Sendable (
            UnsafeRawPointer, UnsafeMutableRawPointer, Int, Int, Coefficients, Coefficients, Coefficients, Coefficients,
            Int
        ) -> Void

    /// (x, y, rowCount, rowLength, means, remainders, scales, weight, bias, prefetchDistance)
    let normalizeRows:
        @Sendable (
            UnsafeRawPointer, UnsafeMutableRawPointer, Int, Int, Coefficients, Coefficients, Coefficients, Coefficients,
            Coefficients?, Int
        ) -> Void

    /// (x, y, rows, columns, stride, means, remainders, scales, shifts)
    let normalizeColumns:
        @Sendable (
            UnsafeRawPointer, UnsafeMutableRawPointer, Int, Int, Int, Coefficients, Coefficients, Coefficients,
            Coefficients
        ) -> Void
}
