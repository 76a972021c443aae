import CKernels
import Glibc

// y = x / (k + alpha·sum)^beta for contiguous elements, each with its own sum. In FP64 whatever the elements are, then
// rounded once. `x` and `y` are the same memory or do not overlap.

public func divideByResponse(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    sums: UnsafePointer<Double>,
    k: Double,
    alpha: Double,
    beta: Double
) {
    divide(x, y, count, sums, k, alpha, beta, widen, narrow)
}

public func divideByResponse(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    count: Int,
    sums: UnsafePointer<Double>,
    k: Double,
    alpha: Double,
    beta: Double
) {
    divide(x, y, count, sums, k, alpha, beta, { (x: DoubleVector) in x }, { $0 })
}

/// Chooses how to raise to the power once, not for each element; the usual exponents take square roots.
@inline(__always)
private func divide<V: SIMD>(
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ count: Int,
    _ sums: UnsafePointer<Double>,
    _ k: Double,
    _ alpha: Double,
    _ beta: Double,
    _ widen: (V) -> DoubleVector,
    _ narrow: (DoubleVector) -> V
) {
    if beta == 0.75 {
        divide(x, y, count, sums, k, alpha, widen, narrow) { base in
            let root = squareRoots(base)
            return root * squareRoots(root)
        }
    } else if beta == 0.5 {
        divide(x, y, count, sums, k, alpha, widen, narrow) { base in squareRoots(base) }
    } else if beta == 1 {
        divide(x, y, count, sums, k, alpha, widen, narrow) { base in base }
    } else {
        divide(x, y, count, sums, k, alpha, widen, narrow) { base in
            var power = base
            for lane in 0..<DoubleVector.scalarCount {
                power[lane] = pow(base[lane], beta)
            }
            return power
        }
    }
}

@inline(__always)
private func divide<V: SIMD>(
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ count: Int,
    _ sums: UnsafePointer<Double>,
    _ k: Double,
    _ alpha: Double,
    _ widen: (V) -> DoubleVector,
    _ narrow: (DoubleVector) -> V,
    _ raise: (DoubleVector) -> DoubleVector
) {
    let width = DoubleVector.scalarCount
    let (offsets, factors) = (DoubleVector(repeating: k), DoubleVector(repeating: alpha))
    var index = 0
    while index &+ width <= count {
        let sum = UnsafeRawPointer(sums + index).loadUnaligned(as: DoubleVector.self)
        let element = widen(UnsafeRawPointer(x + index).loadUnaligned(as: V.self))
        let response = narrow(element / raise(offsets + factors * sum))
        UnsafeMutableRawPointer(y + index).storeBytes(of: response, as: V.self)
        index &+= width
    }
    // What is left goes through a vector of its own, and so through the same roundings.
    guard index < count else { return }
    var (sum, element) = (DoubleVector.zero, V())
    for lane in 0..<(count &- index) {
        sum[lane] = sums[index &+ lane]
        element[lane] = x[index &+ lane]
    }
    let response = narrow(widen(element) / raise(offsets + factors * sum))
    for lane in 0..<(count &- index) {
        y[index &+ lane] = response[lane]
    }
}

@inline(__always)
private func squareRoots(_ vector: DoubleVector) -> DoubleVector {
    var roots = vector
    for lane in 0..<DoubleVector.scalarCount {
        roots[lane] = square_root(vector[lane])
    }
    return roots
}

#if FMA
private typealias HalfVector = SIMD8<Float>
#else
private typealias HalfVector = SIMD4<Float>
#endif

@inline(__always)
private func widen(_ vector: HalfVector) -> DoubleVector {
    var wide = DoubleVector.zero
    for lane in 0..<DoubleVector.scalarCount {
        wide[lane] = Double(vector[lane])
    }
    return wide
}

@inline(__always)
private func narrow(_ vector: DoubleVector) -> HalfVector {
    var half = HalfVector.zero
    for lane in 0..<DoubleVector.scalarCount {
        half[lane] = Float(vector[lane])
    }
    return half
}
