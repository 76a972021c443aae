/// How many elements are summed before the sum moves on to FP64, where only a provisional mean comes of it.
private let blockLength = 4096

/// How many numbers a lane adds up before its sum moves on to FP64. Few, for the squares' sake: elements with an
/// offset lie on a grid, the squares of a grid's numbers are not spread evenly between two numbers of FP32 (an odd one
/// is 1 modulo 8), and so the roundings of their sum, a few binary places coarser, do not cancel out.
private let laneLength = 8

/// Σ(x − center) of `count` contiguous elements.
public func sumOfDifferences(_ x: UnsafePointer<Float>, count: Int, center: Float) -> Double {
    sumOfDifferences(FloatVector.self, x, count, center, wideSum) { Double($0) }
}

/// Σ(x − center) of `count` contiguous elements.
public func sumOfDifferences(_ x: UnsafePointer<Double>, count: Int, center: Double) -> Double {
    sumOfDifferences(DoubleVector.self, x, count, center, wideSum) { Double($0) }
}

/// Σ(x − center) and Σ(x − center)² of `count` contiguous elements.
public func centeredSums(_ x: UnsafePointer<Float>, count: Int, center: Float) -> (sum: Double, squares: Double) {
    centeredSums(FloatVector.self, x, count, center, fold) { Double($0) }
}

/// Σ(x − center) and Σ(x − center)² of `count` contiguous elements.
public func centeredSums(_ x: UnsafePointer<Double>, count: Int, center: Double) -> (sum: Double, squares: Double) {
    centeredSums(DoubleVector.self, x, count, center, { $0 }, { $0 })
}

@inline(__always)
private func sumOfDifferences<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ count: Int,
    _ center: V.Scalar,
    _ wideSum: (V) -> Double,
    _ widen: (V.Scalar) -> Double
) -> Double where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    let centers = V(repeating: center)
    var total = 0.0
    var index = 0
    while index < count {
        let end = min(index &+ blockLength, count)
        var (a, b, c, d) = (V.zero, V.zero, V.zero, V.zero)
        while index &+ 4 &* width <= end {
            a += load(V.self, x, index) - centers
            b += load(V.self, x, index &+ width) - centers
            c += load(V.self, x, index &+ 2 &* width) - centers
            d += load(V.self, x, index &+ 3 &* width) - centers
            index &+= 4 &* width
        }
        while index &+ width <= end {
            a += load(V.self, x, index) - centers
            index &+= width
        }
        var rest = V.Scalar.zero
        while index < end {
            rest += x[index] - center
            index &+= 1
        }
        total += wideSum((a + b) + (c + d)) + widen(rest)
    }
    return total
}

@inline(__always)
private func centeredSums<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ count: Int,
    _ center: V.Scalar,
    _ fold: (V) -> DoubleVector,
    _ widen: (V.Scalar) -> Double
) -> (sum: Double, squares: Double) where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    let centers = V(repeating: center)
    var (sums, squareSums) = (DoubleVector.zero, DoubleVector.zero)
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

/// The sum of the lanes, in FP64 from four lanes on.
@inline(__always)
private func wideSum(_ vector: SIMD16<Float>) -> Double {
    let halves = unsafeBitCast(vector, to: (SIMD8<Float>, SIMD8<Float>).self)
    return wideSum(halves.0 + halves.1)
}

@inline(__always)
private func wideSum(_ vector: SIMD8<Float>) -> Double {
    let halves = unsafeBitCast(vector, to: (SIMD4<Float>, SIMD4<Float>).self)
    let lanes = halves.0 + halves.1
    return (Double(lanes[0]) + Double(lanes[1])) + (Double(lanes[2]) + Double(lanes[3]))
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
