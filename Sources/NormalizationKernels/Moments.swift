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
        keepTail,
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
        keepTail,
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
    rowMeanSquares(FloatVector.self, x, rowCount, rowLength, meanSquares, fold, wideSum, keepTail, { Double($0) })
}

/// The mean of the squares of each of some contiguous rows.
public func rowMeanSquares(
    _ x: UnsafePointer<Double>,
    rowCount: Int,
    rowLength: Int,
    meanSquares: UnsafeMutablePointer<Double>
) {
    rowMeanSquares(DoubleVector.self, x, rowCount, rowLength, meanSquares, { $0 }, wideSum, keepTail, { $0 })
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
    centeredSums(FloatVector.self, x, count, center, fold, wideSum, keepTail, { Double($0) })
}

/// Σ(x − center) and Σ(x − center)² of `count` contiguous elements.
public func centeredSums(_ x: UnsafePointer<Double>, count: Int, center: Double) -> (sum: Double, squares: Double) {
    centeredSums(DoubleVector.self, x, count, center, { $0 }, wideSum, keepTail, { $0 })
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
    _ keepTail: (V, Int) -> V,
    _ widen: (V.Scalar) -> Double
) where V.Scalar: BinaryFloatingPoint, Wide.Scalar == Double {
    let inverseCount = 1 / Double(rowLength)
    var row = 0
    while row < rowCount {
        let elements = x + row &* rowLength
        var center = provisionalMean(V.self, elements, rowLength, laneSum)
        var (sum, squares) = centeredSums(V.self, elements, rowLength, center, fold, wideSum, keepTail, widen)
        var correction = sum * inverseCount
        var variance = (squares - sum * correction) * inverseCount
        if !(4 * correction * correction <= variance) {
            let better = V.Scalar(widen(center) + correction)
            if better != center {
                center = better
                (sum, squares) = centeredSums(V.self, elements, rowLength, center, fold, wideSum, keepTail, widen)
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
    _ keepTail: (V, Int) -> V,
    _ widen: (V.Scalar) -> Double
) where V.Scalar: BinaryFloatingPoint, Wide.Scalar == Double {
    var row = 0
    while row < rowCount {
        let sums = centeredSums(V.self, x + row &* rowLength, rowLength, 0, fold, wideSum, keepTail, widen)
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
    _ keepTail: (V, Int) -> V,
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
            let q = keepTail(load(V.self, x, count &- width) - centers, count &- index)
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

/// The sums of the lanes of both halves, in FP64.
@inline(__always)
private func fold(_ vector: SIMD16<Float>) -> SIMD8<Double> {
    let halves = unsafeBitCast(vector, to: (SIMD8<Float>, SIMD8<Float>).self)
    let lanes = halves.0 + halves.1
    var wide = SIMD8<Double>.zero
    for lane in 0..<8 {
        wide[lane] = Double(lanes[lane])
    }
    return wide
}

@inline(__always)
private func fold(_ vector: SIMD8<Float>) -> SIMD4<Double> {
    let halves = unsafeBitCast(vector, to: (SIMD4<Float>, SIMD4<Float>).self)
    let lanes = halves.0 + halves.1
    return SIMD4(Double(lanes[0]), Double(lanes[1]), Double(lanes[2]), Double(lanes[3]))
}

@inline(__always)
private func wideSum(_ vector: SIMD8<Double>) -> Double {
    let halves = unsafeBitCast(vector, to: (SIMD4<Double>, SIMD4<Double>).self)
    return wideSum(halves.0 + halves.1)
}

@inline(__always)
private func wideSum(_ vector: SIMD4<Double>) -> Double {
    (vector[0] + vector[1]) + (vector[2] + vector[3])
}

/// The last `count` lanes, zeros before them.
///
/// By the sign of a difference: comparisons of vectors become loops over the lanes.
@inline(__always)
private func keepTail(_ vector: SIMD16<Float>, _ count: Int) -> SIMD16<Float> {
    let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    let dropped = (lanes &- Int32(truncatingIfNeeded: 16 &- count)) &>> 31
    return unsafeBitCast(unsafeBitCast(vector, to: SIMD16<Int32>.self) & ~dropped, to: SIMD16<Float>.self)
}

@inline(__always)
private func keepTail(_ vector: SIMD8<Float>, _ count: Int) -> SIMD8<Float> {
    let lanes = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
    let dropped = (lanes &- Int32(truncatingIfNeeded: 8 &- count)) &>> 31
    return unsafeBitCast(unsafeBitCast(vector, to: SIMD8<Int32>.self) & ~dropped, to: SIMD8<Float>.self)
}

@inline(__always)
private func keepTail(_ vector: SIMD8<Double>, _ count: Int) -> SIMD8<Double> {
    let lanes = SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7)
    let dropped = (lanes &- Int64(truncatingIfNeeded: 8 &- count)) &>> 63
    return unsafeBitCast(unsafeBitCast(vector, to: SIMD8<Int64>.self) & ~dropped, to: SIMD8<Double>.self)
}

@inline(__always)
private func keepTail(_ vector: SIMD4<Double>, _ count: Int) -> SIMD4<Double> {
    let lanes = SIMD4<Int64>(0, 1, 2, 3)
    let dropped = (lanes &- Int64(truncatingIfNeeded: 4 &- count)) &>> 63
    return unsafeBitCast(unsafeBitCast(vector, to: SIMD4<Int64>.self) & ~dropped, to: SIMD4<Double>.self)
}

/// The sum of the lanes.
@inline(__always)
private func laneSum(_ vector: SIMD16<Float>) -> Float {
    let halves = unsafeBitCast(vector, to: (SIMD8<Float>, SIMD8<Float>).self)
    return laneSum(halves.0 + halves.1)
}

@inline(__always)
private func laneSum(_ vector: SIMD8<Float>) -> Float {
    let halves = unsafeBitCast(vector, to: (SIMD4<Float>, SIMD4<Float>).self)
    let lanes = halves.0 + halves.1
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

@inline(__always)
private func laneSum(_ vector: SIMD8<Double>) -> Double { wideSum(vector) }

@inline(__always)
private func laneSum(_ vector: SIMD4<Double>) -> Double { wideSum(vector) }
