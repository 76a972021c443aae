import CKernels

/// 1 / (sqrt(variance + varianceTerm) + deviationTerm), or 0 where there is nothing to divide by: the differences are
/// zero then, and so is the result.
public func inverseDeviations(
    _ variances: UnsafePointer<Double>,
    into scales: UnsafeMutablePointer<Double>,
    count: Int,
    varianceTerm: Double,
    deviationTerm: Double
) {
    var index = 0
    while index < count {
        let deviation = square_root(variances[index] + varianceTerm) + deviationTerm
        let scale = 1 / deviation
        // Divided in any case, so that the loop has no branches and becomes one over vectors.
        scales[index] = scale == .infinity ? 0 : scale
        index &+= 1
    }
}

/// How many numbers have a place in FP64 that FP32 has no normal number for; not those that are zero, infinite or NaN.
public func countBeyondFloat(_ numbers: UnsafePointer<Double>, count: Int) -> Int {
    var result = 0
    var index = 0
    while index < count {
        let magnitude = numbers[index].magnitude
        let isSmall = magnitude < 0x1p-126 && magnitude > 0
        let isLarge = magnitude > 0x1p127 && magnitude < .infinity
        result &+= (isSmall ? 1 : 0) &+ (isLarge ? 1 : 0)
        index &+= 1
    }
    return result
}

/// Means that are unevaluated sums of two numbers, as such sums in the precision that is computed with.
public func splitMeans(
    _ means: UnsafePointer<Double>,
    _ remainders: UnsafePointer<Double>,
    count: Int,
    high: UnsafeMutablePointer<Float>,
    low: UnsafeMutablePointer<Float>
) {
    splitMeans(means, remainders, count, high, low, { Float($0) }, { Double($0) })
}

/// Means that are unevaluated sums of two numbers, as such sums in the precision that is computed with.
public func splitMeans(
    _ means: UnsafePointer<Double>,
    _ remainders: UnsafePointer<Double>,
    count: Int,
    high: UnsafeMutablePointer<Double>,
    low: UnsafeMutablePointer<Double>
) {
    splitMeans(means, remainders, count, high, low, { $0 }, { $0 })
}

/// Rounds numbers to the precision that is computed with. NaN loses its payload, which kernels for BF16 rely on.
public func narrowCoefficients(
    _ numbers: UnsafePointer<Double>,
    into results: UnsafeMutablePointer<Float>,
    count: Int
) {
    let quietNaN = Float.nan
    var index = 0
    while index < count {
        let number = Float(numbers[index])
        results[index] = number == number ? number : quietNaN
        index &+= 1
    }
}

/// Rounds numbers to the precision that is computed with, which is theirs.
public func narrowCoefficients(
    _ numbers: UnsafePointer<Double>,
    into results: UnsafeMutablePointer<Double>,
    count: Int
) {
    results.update(from: numbers, count: count)
}

@inline(__always)
private func splitMeans<Scalar: FloatingPoint>(
    _ means: UnsafePointer<Double>,
    _ remainders: UnsafePointer<Double>,
    _ count: Int,
    _ highs: UnsafeMutablePointer<Scalar>,
    _ lows: UnsafeMutablePointer<Scalar>,
    _ narrow: (Double) -> Scalar,
    _ widen: (Scalar) -> Double
) {
    let quietNaN = Scalar.nan
    var index = 0
    while index < count {
        let (mean, remainder) = (means[index], remainders[index])
        let sum = mean + remainder
        let high = narrow(sum)
        // Two-sum (Knuth): the remainder may be the larger one.
        let part = sum - mean
        let rest = (mean - (sum - part)) + (remainder - part)
        let low = narrow((sum - widen(high)) + rest)
        highs[index] = high == high ? high : quietNaN
        // An infinite mean leaves nothing; the difference from itself tells.
        lows[index] = low - low == 0 ? low : 0
        index &+= 1
    }
}
