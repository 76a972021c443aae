import Glibc

// y = weight·tanh(alpha·x) + bias for contiguous elements, each with its own weight and, if there are any, bias.
// `x` and `y` are the same memory or do not overlap. An element's result does not depend on where it stands.

public func scaledTanh(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    alpha: Float,
    weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?
) {
    let width = FloatVector.scalarCount
    let alphas = FloatVector(repeating: alpha)
    var index = 0
    if let bias {
        while index &+ width <= count {
            let t = tangent(load(x, index) * alphas)
            store(multiplyAdd(t, load(weight, index), load(bias, index)), y, index)
            index &+= width
        }
    } else {
        while index &+ width <= count {
            store(tangent(load(x, index) * alphas) * load(weight, index), y, index)
            index &+= width
        }
    }
    // What is left goes through a vector of its own, and so through the same roundings.
    guard index < count else { return }
    let (t, w) = (tangent(loadRest(x, index, count) * alphas), loadRest(weight, index, count))
    let rest = if let bias { multiplyAdd(t, w, loadRest(bias, index, count)) } else { t * w }
    var lane = 0
    while index < count {
        y[index] = rest[lane]
        index &+= 1
        lane &+= 1
    }
}

/// By the C library, whose tanh is within 2 units in the last place.
public func scaledTanh(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    count: Int,
    alpha: Double,
    weight: UnsafePointer<Double>,
    bias: UnsafePointer<Double>?
) {
    var index = 0
    while index < count {
        let t = tanh(alpha * x[index]) * weight[index]
        y[index] = if let bias { t + bias[index] } else { t }
        index &+= 1
    }
}

#if FMA
private typealias BitVector = SIMD16<UInt32>
#else
private typealias BitVector = SIMD8<UInt32>
#endif

private let signBit: UInt32 = 0x8000_0000

/// tanh of each lane within 1.5 units in the last place: ±0 to itself, ±inf to ±1, NaN to NaN.
///
/// Both ways compute with a = |z|; ε is 2^−24, half a unit in the last place of 1 and a whole one of tanh in [½, 1).
///
/// a < 1: a + a·(s·P(s)) with s = a², where P is a minimax polynomial of degree 6 for (tanh(√s)/√s − 1)/s on [0, 1],
/// within 0.08 ε of tanh. s, the last step of P and s·P round by about 1.2 ε each, relative to a correction of at most
/// 0.238 of 0.762; the sum rounds by half a unit. In all under 0.08 + 3.5·0.238 + 0.5 = 1.41 units (without fused
/// multiply-add one rounding of the correction more, at that size a quarter unit of the result at most, and not all of
/// them at their worst together: the largest error found is 1.07, with it 0.94).
///
/// a ≥ 1: 1 − 2e/(1 + e) with e = exp(−2a). exp is reduced by n·ln 2 in two parts, of which the first product is exact,
/// and 1 + r + r²·Q(r) is within 0.06 ε; with its roundings e is within 2 ε. The quotient q, at most 0.2385, takes this
/// times 1/(1 + e), and the roundings of 1 + e and of the division: under 4 ε·q = 0.95 units; the difference rounds by
/// half a unit. From a = 9.1 on the result is 1, and a is cut off at 10, so that 2^n is normal.
@inline(__always)
private func tangent(_ z: FloatVector) -> FloatVector {
    let bits = unsafeBitCast(z, to: BitVector.self)
    let a = unsafeBitCast(bits & ~signBit, to: FloatVector.self)

    let s = a * a
    var p = FloatVector(repeating: -0.00035845197)
    p = multiplyAdd(p, s, FloatVector(repeating: 0.0023013644))
    p = multiplyAdd(p, s, FloatVector(repeating: -0.0079461066))
    p = multiplyAdd(p, s, FloatVector(repeating: 0.021486657))
    p = multiplyAdd(p, s, FloatVector(repeating: -0.0538798))
    p = multiplyAdd(p, s, FloatVector(repeating: 0.13332345))
    p = multiplyAdd(p, s, FloatVector(repeating: -0.33333296))
    let near = multiplyAdd(a, s * p, a)

    // A comparison with NaN is false, and NaN goes through.
    let cut = a.replacing(with: 10, where: a .> 10)
    let e = exponential(cut * -2)
    let far = 1 - (e + e) / (1 + e)

    let magnitude = far.replacing(with: near, where: a .< 1)
    return unsafeBitCast(unsafeBitCast(magnitude, to: BitVector.self) | (bits & signBit), to: FloatVector.self)
}

/// exp of each lane, from −20 to 0 or NaN.
@inline(__always)
private func exponential(_ t: FloatVector) -> FloatVector {
    // Adding 1.5·2^23 rounds to an integer, which then stands in the last bits.
    let magic = FloatVector(repeating: 12_582_912)
    let shifted = multiplyAdd(t, FloatVector(repeating: 1.442695), magic)
    let n = shifted - magic
    var r = multiplyAdd(n, FloatVector(repeating: -0.693359375), t)
    r = multiplyAdd(n, FloatVector(repeating: 2.12194440e-4), r)
    var q = FloatVector(repeating: 0.0013814541)
    q = multiplyAdd(q, r, FloatVector(repeating: 0.0083687454))
    q = multiplyAdd(q, r, FloatVector(repeating: 0.04166839))
    q = multiplyAdd(q, r, FloatVector(repeating: 0.16666521))
    q = multiplyAdd(q, r, FloatVector(repeating: 0.49999994))
    let power = multiplyAdd(r * r, q, r) + 1
    let scale = (unsafeBitCast(shifted, to: BitVector.self) &+ 127) &<< 23
    return power * unsafeBitCast(scale, to: FloatVector.self)
}

/// The vector of the elements from `index` on, at any alignment.
@inline(__always)
private func load(_ elements: UnsafePointer<Float>, _ index: Int) -> FloatVector {
    UnsafeRawPointer(elements + index).loadUnaligned(as: FloatVector.self)
}

/// The elements from `index` to `count`, fewer than a vector has, and zeros.
@inline(__always)
private func loadRest(_ elements: UnsafePointer<Float>, _ index: Int, _ count: Int) -> FloatVector {
    var vector = FloatVector.zero
    for lane in 0..<(count &- index) {
        vector[lane] = elements[index &+ lane]
    }
    return vector
}

/// Stores a vector at the elements from `index` on, at any alignment.
@inline(__always)
private func store(_ vector: FloatVector, _ elements: UnsafeMutablePointer<Float>, _ index: Int) {
    UnsafeMutableRawPointer(elements + index).storeBytes(of: vector, as: FloatVector.self)
}

/// `a * b + c`, rounded once where the instruction set can.
@inline(__always)
private func multiplyAdd(_ a: FloatVector, _ b: FloatVector, _ c: FloatVector) -> FloatVector {
    #if FMA
    c.addingProduct(a, b)
    #else
    a * b + c
    #endif
}
