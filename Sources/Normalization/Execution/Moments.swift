/// What is taken of the elements that are normalized together, by `ChannelStatistics.Kind`.
struct Moments {
    /// The mean, as an unevaluated sum of two numbers; zero for what is taken about zero.
    var mean = 0.0
    var remainder = 0.0

    /// The biased variance, the mean square, the mean magnitude or the largest one.
    var spread: Double

    /// About zero.
    init(spread: Double) {
        self.spread = spread
    }

    /// From the sums of (x − center) and its squares: the corrected two-pass algorithm
    /// (Chan, Golub and LeVeque 1983), which forgives a center that is not exactly the mean.
    init(center: Double, sum: Double, squares: Double, count: Double) {
        let correction = sum / count
        self.mean = center + correction
        self.remainder = correction - (self.mean - center)
        let variance = (squares - sum * correction) / count
        // Not max(): it would make 0 of NaN.
        self.spread = variance < 0 ? 0 : variance
    }

    /// Whether the center was near enough to the mean: half a deviation costs a fifth of the precision.
    func forgives(center: Double) -> Bool {
        let distance = (self.mean - center) + self.remainder
        return 4 * distance * distance <= self.spread
    }

    /// Whether squares of FP32 numbers neither overflowed nor lost digits on the way. What is not, is computed again
    /// in FP64.
    static func isReliableInFloat(_ spread: Double, mean: Double) -> Bool {
        // Numbers about this mean that differ at all differ by more than the root of what FP32 can hold.
        (spread >= 1e-30 && spread.isFinite) || (spread == 0 && mean.magnitude >= 1e-14)
    }
}

extension ElementSource {
    /// Statistics of the elements of some ranges together, chunk by chunk; the first range is not empty.
    mutating func moments(
        of ranges: some Collection<Range<Int>>,
        _ kind: ChannelStatistics.Kind,
        _ kernels: Kernels<Scalar>
    ) -> Moments {
        let count = Double(ranges.reduce(0) { $0 + $1.count })
        switch kind {
        case .moments:
            guard let first = ranges.first.flatMap({ self.chunks(of: $0).first { _ in true } }) else {
                return Moments(spread: 0)
            }
            let center = kernels.provisionalMean(self.load(first), first.count)
            let moments = self.moments(of: ranges, about: center, count, kernels)
            let better = Scalar(moments.mean + moments.remainder)
            guard !moments.forgives(center: Double(center)), better != center else { return moments }
            return self.moments(of: ranges, about: better, count, kernels)
        case .meanSquare:
            return Moments(spread: self.sum(over: ranges) { kernels.centeredSums($0, $1, 0).squares } / count)
        case .meanMagnitude:
            return Moments(spread: self.sum(over: ranges) { kernels.sumOfMagnitudes($0, $1) } / count)
        case .largestMagnitude:
            var largest = 0.0
            self.forEachChunk(of: ranges) { x, count in
                let magnitude = kernels.largestMagnitude(x, count)
                // NaN wins over any number, and stays.
                largest = magnitude <= largest || largest.isNaN ? largest : magnitude
            }
            return Moments(spread: largest)
        }
    }

    private mutating func moments(
        of ranges: some Collection<Range<Int>>,
        about center: Scalar,
        _ count: Double,
        _ kernels: Kernels<Scalar>
    ) -> Moments {
        var (sum, squares) = (0.0, 0.0)
        self.forEachChunk(of: ranges) { x, count in
            let sums = kernels.centeredSums(x, count, center)
            sum += sums.sum
            squares += sums.squares
        }
        return Moments(center: Double(center), sum: sum, squares: squares, count: count)
    }

    private mutating func sum(
        over ranges: some Collection<Range<Int>>,
        _ body: (UnsafePointer<Scalar>, Int) -> Double
    ) -> Double {
        var total = 0.0
        self.forEachChunk(of: ranges) { total += body($0, $1) }
        return total
    }

    private mutating func forEachChunk(
        of ranges: some Collection<Range<Int>>,
        _ body: (UnsafePointer<Scalar>, Int) -> Void
    ) {
        for range in ranges {
            for chunk in self.chunks(of: range) {
                body(self.load(chunk), chunk.count)
            }
        }
    }
}
