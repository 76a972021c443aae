import CKernels

/// How many numbers a lane adds up before its sum moves on to FP64. Few, for the squares' sake: elements with an
/// offset lie on a grid, the squares of a grid's numbers are not spread evenly between two numbers of FP32 (an odd one
/// is 1 modulo 8), and so the roundings of their sum, a few binary places coarser, do not cancel out.
private let laneLength = 8

/// Mean, as an unevaluated sum of two numbers, and biased variance of each of some contiguous rows: the corrected
/// two-pass algorithm (Chan, Golub and LeVeque 1983), whose provisional mean is that of a few samples of the row. It
/// forgives a provisional mean that is not exact; one that is off by half a deviation is replaced.
public func rowMoments(
    _ x: UnsafePointer<Float>,
    rowCount: Int,
    rowLength: Int,
    means: UnsafeMutablePointer<Double>,
    remainders: UnsafeMutablePointer<Double>,
    variances: UnsafeMutablePointer<Double>
) {
    rowMoments(
        FloatVector.self,
        x,
        rowCount,
        rowLength,
        means,
        remainders,
        variances,
        fold,
        wideSum,
        laneSum,
        tail,
        { Double($0) }
    )
}

/// Mean, as an unevaluated sum of two numbers, and biased variance of each of some contiguous rows.
public func rowMoments(
    _ x: UnsafePointer<Double>,
    rowCount: Int,
    rowLength: Int,
    means: UnsafeMutablePointer<Double>,
    remainders: UnsafeMutablePointer<Double>,
    variances: UnsafeMutablePointer<Double>
) {
    rowMoments(
        DoubleVector.self,
        x,
        rowCount,
        rowLength,
        means,
        remainders,
        variances,
        { $0 },
        wideSum,
        laneSum,
        tail,
        { $0 }
    )
}

/// The mean of the squares of each of some contiguous rows.
public func rowMeanSquares(
    _ x: UnsafePointer<Float>,
    rowCount: Int,
    rowLength: Int,
    meanSquares: UnsafeMutablePointer<Double>
) {
    rowMeanSquares(FloatVector.self, x, rowCount, rowLength, meanSquares, fold, wideSum, tail, { Double($0) })
}

/// The mean of the squares of each of some contiguous rows.
public func rowMeanSquares(
    _ x: UnsafePointer<Double>,
    rowCount: Int,
    rowLength: Int,
    meanSquares: UnsafeMutablePointer<Double>
) {
    rowMeanSquares(DoubleVector.self, x, rowCount, rowLength, meanSquares, { $0 }, wideSum, tail, { $0 })
}

/// A number near the mean of some contiguous elements: the mean of a few of them.
public func provisionalMean(_ x: UnsafePointer<Float>, count: Int) -> Float {
    provisionalMean(FloatVector.self, x, count, laneSum)
}

/// A number near the mean of some contiguous elements: the mean of a few of them.
public func provisionalMean(_ x: UnsafePointer<Double>, count: Int) -> Double {
    provisionalMean(DoubleVector.self, x, count, laneSum)
}

/// Σ(x − center) and Σ(x − center)² of `count` contiguous elements.
public func centeredSums(_ x: UnsafePointer<Float>, count: Int, center: Float) -> (sum: Double, squares: Double) {
    centeredSums(FloatVector.self, x, count, center, fold, wideSum, tail, { Double($0) })
}

/// Σ(x − center) and Σ(x − center)² of `count` contiguous elements.
public func centeredSums(_ x: UnsafePointer<Double>, count: Int, center: Double) -> (sum: Double, squares: Double) {
    centeredSums(DoubleVector.self, x, count, center, { $0 }, wideSum, tail, { $0 })
}

@inline(__always)
private func rowMoments<V: SIMD, Wide: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ rowCount: Int,
    _ rowLength: Int,
    _ means: UnsafeMutablePointer<Double>,
    _ remainders: UnsafeMutablePointer<Double>,
    _ variances: UnsafeMutablePointer<Double>,
    _ fold: (V) -> Wide,
    _ wideSum: (Wide) -> Double,
    _ laneSum: (V) -> V.Scalar,
    _ tail: (V, Int) -> V,
    _ widen: (V.Scalar) -> Double
) where V.Scalar: BinaryFloatingPoint, Wide.Scalar == Double {
    let inverseCount = 1 / Double(rowLength)
    var row = 0
    while row < rowCount {
        let elements = x + row &* rowLength
        var center = provisionalMean(V.self, elements, rowLength, laneSum)
        var (sum, squares) = centeredSums(V.self, elements, rowLength, center, fold, wideSum, tail, widen)
        var correction = sum * inverseCount
        var variance = (squares - sum * correction) * inverseCount
        if !(4 * correction * correction <= variance) {
            let better = V.Scalar(widen(center) + correction)
            if better != center {
                center = better
                (sum, squares) = centeredSums(V.self, elements, rowLength, center, fold, wideSum, tail, widen)
                correction = sum * inverseCount
                variance = (squares - sum * correction) * inverseCount
            }
        }
        let mean = widen(center) + correction
        means[row] = mean
        remainders[row] = correction - (mean - widen(center))
        // Not max(): it would make 0 of NaN.
        variances[row] = variance < 0 ? 0 : variance
        row &+= 1
    }
}

@inline(__always)
private func rowMeanSquares<V: SIMD, Wide: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ rowCount: Int,
    _ rowLength: Int,
    _ meanSquares: UnsafeMutablePointer<Double>,
    _ fold: (V) -> Wide,
    _ wideSum: (Wide) -> Double,
    _ tail: (V, Int) -> V,
    _ widen: (V.Scalar) -> Double
) where V.Scalar: BinaryFloatingPoint, Wide.Scalar == Double {
    var row = 0
    while row < rowCount {
        let sums = centeredSums(V.self, x + row &* rowLength, rowLength, 0, fold, wideSum, tail, widen)
        meanSquares[row] = sums.squares / Double(rowLength)
        row &+= 1
    }
}

/// The mean of four vectors from all over the elements, or of all elements if they do not fill one.
@inline(__always)
private func provisionalMean<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ count: Int,
    _ laneSum: (V) -> V.Scalar
) -> V.Scalar where V.Scalar: BinaryFloatingPoint {
    let width = V.scalarCount
    if count >= width {
        let step = (count &- width) / 3
        let first = load(V.self, x, 0) + load(V.self, x, step)
        let second = load(V.self, x, 2 &* step) + load(V.self, x, 3 &* step)
        // A power of two, so that the mean of equal numbers is just that number.
        return laneSum(first + second) * (1 / V.Scalar(4 &* width))
    }
    var sum = V.Scalar.zero
    for index in 0..<count {
        sum += x[index]
    }
    return sum / V.Scalar(count)
}

@inline(__always)
private func centeredSums<V: SIMD, Wide: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ count: Int,
    _ center: V.Scalar,
    _ fold: (V) -> Wide,
    _ wideSum: (Wide) -> Double,
    _ tail: (V, Int) -> V,
    _ widen: (V.Scalar) -> Double
) -> (sum: Double, squares: Double) where V.Scalar: BinaryFloatingPoint, Wide.Scalar == Double {
    let width = V.scalarCount
    let centers = V(repeating: center)
    var (sums, squareSums) = (Wide.zero, Wide.zero)
    var index = 0
    while index &+ width <= count {
        let end = min(index &+ 2 &* laneLength &* width, count)
        var (a, aa, b, bb) = (V.zero, V.zero, V.zero, V.zero)
        while index &+ 2 &* width <= end {
            let p = load(V.self, x, index) - centers
            let q = load(V.self, x, index &+ width) - centers
            a += p
            b += q
            aa = multiplyAdd(p, p, aa)
            bb = multiplyAdd(q, q, bb)
            index &+= 2 &* width
        }
        if index &+ width <= end {
            let p = load(V.self, x, index) - centers
            a += p
            aa = multiplyAdd(p, p, aa)
            index &+= width
        }
        if index &+ width > count && index < count {
            // The last vector overlaps the one before it.
            let q = tail(load(V.self, x, count &- width) - centers, count &- index)
            b += q
            bb = multiplyAdd(q, q, bb)
            index = count
        }
        sums += fold(a + b)
        squareSums += fold(aa + bb)
    }
    var (sum, squares) = (wideSum(sums), wideSum(squareSums))
    while index < count {
        let difference = widen(x[index] - center)
        sum += difference
        squares = multiplyAdd(difference, difference, squares)
        index &+= 1
    }
    return (sum, squares)
}

/// The vector of the elements from `index` on, at any alignment.
@inline(__always)
private func load<V: SIMD>(_ type: V.Type, _ elements: UnsafePointer<V.Scalar>, _ index: Int) -> V {
    UnsafeRawPointer(elements + index).loadUnaligned(as: V.self)
}

/// `a * b + c`, rounded once where the instruction set can.
@inline(__always)
private func multiplyAdd<V: SIMD>(_ a: V, _ b: V, _ c: V) -> V where V.Scalar: FloatingPoint {
    #if FMA
    c.addingProduct(a, b)
    #else
    a * b + c
    #endif
}

/// `a * b + c` for the elements after the last whole vector: the same bits as in a vector.
@inline(__always)
private func multiplyAdd<Scalar: FloatingPoint>(_ a: Scalar, _ b: Scalar, _ c: Scalar) -> Scalar {
    #if FMA
    c.addingProduct(a, b)
    #else
    a * b + c
    #endif
}

// What depends on the vector, by one name for all of them.

@inline(__always)
private func fold(_ vector: SIMD16<Float>) -> SIMD8<Double> { fold_float16(vector) }

@inline(__always)
private func fold(_ vector: SIMD8<Float>) -> SIMD4<Double> { fold_float8(vector) }

@inline(__always)
private func wideSum(_ vector: SIMD8<Double>) -> Double { sum_of_double8(vector) }

@inline(__always)
private func wideSum(_ vector: SIMD4<Double>) -> Double { sum_of_double4(vector) }

@inline(__always)
private func laneSum(_ vector: SIMD16<Float>) -> Float { sum_of_float16(vector) }

@inline(__always)
private func laneSum(_ vector: SIMD8<Float>) -> Float { sum_of_float8(vector) }

@inline(__always)
private func laneSum(_ vector: SIMD8<Double>) -> Double { sum_of_double8(vector) }

@inline(__always)
private func laneSum(_ vector: SIMD4<Double>) -> Double { sum_of_double4(vector) }

/// The last `count` lanes, zeros before them.
@inline(__always)
private func tail(_ vector: SIMD16<Float>, _ count: Int) -> SIMD16<Float> { tail_of_float16(vector, count) }

@inline(__always)
private func tail(_ vector: SIMD8<Float>, _ count: Int) -> SIMD8<Float> { tail_of_float8(vector, count) }

@inline(__always)
private func tail(_ vector: SIMD8<Double>, _ count: Int) -> SIMD8<Double> { tail_of_double8(vector, count) }

@inline(__always)
private func tail(_ vector: SIMD4<Double>, _ count: Int) -> SIMD4<Double> { tail_of_double4(vector, count) }
