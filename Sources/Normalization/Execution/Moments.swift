/// Mean and variance of the elements that are normalized together.
struct Moments {
    /// The mean, as an unevaluated sum of two numbers.
    var mean = 0.0
    var remainder = 0.0

    /// The biased variance; for a mean that is taken to be zero the mean of the squares.
    var variance: Double

    /// From the sums of (x − center) and its squares: the corrected two-pass algorithm
    /// (Chan, Golub and LeVeque 1983), which forgives a center that is not exactly the mean.
    init(center: Double, sum: Double, squares: Double, inverseCount: Double) {
        let correction = sum * inverseCount
        self.mean = center + correction
        self.remainder = correction - (self.mean - center)
        let variance = (squares - sum * correction) * inverseCount
        // Not max(): it would make 0 of NaN.
        self.variance = variance < 0 ? 0 : variance
    }

    /// About zero.
    init(squares: Double, inverseCount: Double) {
        self.variance = squares * inverseCount
    }

    /// Whether squares of FP32 numbers neither overflowed nor lost digits on the way. What is not, is computed again
    /// in FP64.
    var isReliableInFloat: Bool { self.variance >= 1e-30 && self.variance.isFinite }
}
