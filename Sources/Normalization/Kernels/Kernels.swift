import Tensors

/// The kernels of one instruction set for numbers of one precision.
///
/// A class, so that handing it on copies one reference and not all the functions.
final class Kernels<Scalar>: Sendable {
    typealias Source = UnsafePointer<Scalar>
    typealias Destination = UnsafeMutablePointer<Scalar>

    typealias Sums = UnsafeMutablePointer<Double>

    typealias ScaledTanh = @Sendable (Source, Destination, Int, Scalar, Source, Source?) -> Void
    typealias DivideByResponse =
        @Sendable (Source, Destination, Int, UnsafePointer<Double>, Double, Double, Double) -> Void
    typealias DivideSpan = @Sendable (Source, Destination, Int, Double, Double) -> Void
    typealias AddProduct = @Sendable (Source, Int, Int, Int, UnsafePointer<Double>, Sums) -> Void

    /// (x, rowCount, rowLength, means, remainders, variances)
    let rowMoments: @Sendable (Source, Int, Int, Sums, Sums, Sums) -> Void

    /// (x, rowCount, rowLength, meanSquares)
    let rowMeanSquares: @Sendable (Source, Int, Int, Sums) -> Void

    /// (x, count) → a number near the mean
    let provisionalMean: @Sendable (Source, Int) -> Scalar

    /// (x, count, center) → Σ(x − center), Σ(x − center)²
    let centeredSums: @Sendable (Source, Int, Scalar) -> (sum: Double, squares: Double)

    /// (x, count) → Σ|x|
    let sumOfMagnitudes: @Sendable (Source, Int) -> Double

    /// (x, count) → max |x|
    let largestMagnitude: @Sendable (Source, Int) -> Double

    /// (x, rows, columns, stride, centers, sums, squares): adds each column's Σ(x − center) and Σ(x − center)².
    let addCenteredColumnSums: @Sendable (Source, Int, Int, Int, Source, Sums, Sums) -> Void

    /// (x, rows, columns, stride, sums): adds each column's Σ|x|.
    let addColumnMagnitudes: @Sendable (Source, Int, Int, Int, Sums) -> Void

    /// (x, rows, columns, stride, maxima): raises to each column's max |x|.
    let raiseToColumnMagnitudes: @Sendable (Source, Int, Int, Int, Sums) -> Void

    /// (x, y, spanCount, spanLength, means, remainders, scales, shifts, prefetchDistance)
    let normalizeSpans: @Sendable (Source, Destination, Int, Int, Source, Source, Source, Source, Int) -> Void

    /// (x, y, rowCount, rowLength, means, remainders, scales, weight, bias, prefetchDistance)
    let normalizeRows: @Sendable (Source, Destination, Int, Int, Source, Source, Source, Source, Source?, Int) -> Void

    /// (x, y, rows, columns, stride, means, remainders, scales, shifts)
    let normalizeColumns: @Sendable (Source, Destination, Int, Int, Int, Source, Source, Source, Source) -> Void

    /// (y, spanCount, spanLength, minimums)
    let raiseSpans: @Sendable (Destination, Int, Int, Source) -> Void

    /// (y, rows, columns, stride, minimums)
    let raiseColumns: @Sendable (Destination, Int, Int, Int, Source) -> Void

    /// (x, y, count, alpha, weight, bias)
    let scaledTanh: ScaledTanh

    /// (x, y, count): y = x²
    let squares: @Sendable (Source, Sums, Int) -> Void

    /// (x, sums, rows, columns, before, after): sums of each column over windows of rows; destroys x.
    let windowSums: @Sendable (Sums, Sums, Int, Int, Int, Int) -> Void

    /// (x, y, count, sums, k, alpha, beta)
    let divideByResponse: DivideByResponse

    /// (matrix, rows, columns, stride, vector, sums): adds the product with a vector to the sums, one per row.
    let addProduct: AddProduct

    /// (matrix, rows, columns, stride, vector, sums): adds that of the transpose, one per column.
    let addTransposedProduct: AddProduct

    /// (x, y, count, factor, divisor)
    let divideSpan: DivideSpan

    /// (variances, scales, count, varianceTerm, deviationTerm) → 1 / (sqrt(variance + varianceTerm) + deviationTerm)
    let inverseDeviations: @Sendable (UnsafePointer<Double>, Sums, Int, Double, Double) -> Void

    /// (means, remainders, count, high, low)
    let splitMeans: @Sendable (UnsafePointer<Double>, UnsafePointer<Double>, Int, Destination, Destination) -> Void

    /// (numbers, count) → how many FP32 has no normal number for
    let countBeyondFloat: @Sendable (UnsafePointer<Double>, Int) -> Int

    /// (numbers, results, count)
    let narrowCoefficients: @Sendable (UnsafePointer<Double>, Destination, Int) -> Void

    /// For elements of 16 bits in and out, by their type; none where the processor does not convert them itself.
    let narrow: [DataType: NarrowKernels<Scalar>]

    /// From the elements of a tensor, by their type; none for `Scalar` itself.
    let reading: [DataType: @Sendable (UnsafeRawPointer, Destination, Int) -> Void]

    /// To the elements of a tensor, by their type; none for `Scalar` itself.
    let writing: [DataType: @Sendable (Source, UnsafeMutableRawPointer, Int) -> Void]

    init(
        rowMoments: @escaping @Sendable (Source, Int, Int, Sums, Sums, Sums) -> Void,
        rowMeanSquares: @escaping @Sendable (Source, Int, Int, Sums) -> Void,
        provisionalMean: @escaping @Sendable (Source, Int) -> Scalar,
        centeredSums: @escaping @Sendable (Source, Int, Scalar) -> (sum: Double, squares: Double),
        sumOfMagnitudes: @escaping @Sendable (Source, Int) -> Double,
        largestMagnitude: @escaping @Sendable (Source, Int) -> Double,
        addCenteredColumnSums: @escaping @Sendable (Source, Int, Int, Int, Source, Sums, Sums) -> Void,
        addColumnMagnitudes: @escaping @Sendable (Source, Int, Int, Int, Sums) -> Void,
        raiseToColumnMagnitudes: @escaping @Sendable (Source, Int, Int, Int, Sums) -> Void,
        normalizeSpans:
            @escaping @Sendable (Source, Destination, Int, Int, Source, Source, Source, Source, Int) -> Void,
        normalizeRows:
            @escaping @Sendable (Source, Destination, Int, Int, Source, Source, Source, Source, Source?, Int) -> Void,
        normalizeColumns:
            @escaping @Sendable (Source, Destination, Int, Int, Int, Source, Source, Source, Source) -> Void,
        raiseSpans: @escaping @Sendable (Destination, Int, Int, Source) -> Void,
        raiseColumns: @escaping @Sendable (Destination, Int, Int, Int, Source) -> Void,
        scaledTanh: @escaping ScaledTanh,
        squares: @escaping @Sendable (Source, Sums, Int) -> Void,
        windowSums: @escaping @Sendable (Sums, Sums, Int, Int, Int, Int) -> Void,
        divideByResponse: @escaping DivideByResponse,
        addProduct: @escaping AddProduct,
        addTransposedProduct: @escaping AddProduct,
        divideSpan: @escaping DivideSpan,
        inverseDeviations: @escaping @Sendable (UnsafePointer<Double>, Sums, Int, Double, Double) -> Void,
        splitMeans:
            @escaping @Sendable (UnsafePointer<Double>, UnsafePointer<Double>, Int, Destination, Destination) -> Void,
        countBeyondFloat: @escaping @Sendable (UnsafePointer<Double>, Int) -> Int,
        narrowCoefficients: @escaping @Sendable (UnsafePointer<Double>, Destination, Int) -> Void,
        narrow: [DataType: NarrowKernels<Scalar>] = [:],
        reading: [DataType: @Sendable (UnsafeRawPointer, Destination, Int) -> Void],
        writing: [DataType: @Sendable (Source, UnsafeMutableRawPointer, Int) -> Void]
    ) {
        self.rowMoments = rowMoments
        self.rowMeanSquares = rowMeanSquares
        self.provisionalMean = provisionalMean
        self.centeredSums = centeredSums
        self.sumOfMagnitudes = sumOfMagnitudes
        self.largestMagnitude = largestMagnitude
        self.addCenteredColumnSums = addCenteredColumnSums
        self.addColumnMagnitudes = addColumnMagnitudes
        self.raiseToColumnMagnitudes = raiseToColumnMagnitudes
        self.normalizeSpans = normalizeSpans
        self.normalizeRows = normalizeRows
        self.normalizeColumns = normalizeColumns
        self.raiseSpans = raiseSpans
        self.raiseColumns = raiseColumns
        self.scaledTanh = scaledTanh
        self.squares = squares
        self.windowSums = windowSums
        self.divideByResponse = divideByResponse
        self.addProduct = addProduct
        self.addTransposedProduct = addTransposedProduct
        self.divideSpan = divideSpan
        self.inverseDeviations = inverseDeviations
        self.splitMeans = splitMeans
        self.countBeyondFloat = countBeyondFloat
        self.narrowCoefficients = narrowCoefficients
        self.narrow = narrow
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
