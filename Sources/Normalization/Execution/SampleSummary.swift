/// Gathers what the channels of a sample have in common from the statistics of each.
struct SampleSummary {
    private let kind: ChannelStatistics.Summary

    /// The number of elements of each channel.
    private let positionCount: Double

    private var channelCount = 0.0

    /// The mean, as an unevaluated sum of two numbers.
    private var mean = 0.0
    private var remainder = 0.0

    /// The sum of the squared differences from the mean, in units of `positionCount`.
    private var squares = 0.0

    init(_ kind: ChannelStatistics.Summary, positionCount: Int) {
        self.kind = kind
        self.positionCount = Double(positionCount)
    }

    mutating func add(_ channels: ChannelMoments, _ range: Range<Int>) {
        for index in range {
            switch self.kind {
            case .none: return
            case .moments: self.add(channels.means[index], channels.remainders[index], channels.spreads[index])
            case .meanNorm: self.add((channels.spreads[index] * self.positionCount).squareRoot(), 0, 0)
            }
        }
    }

    /// Adds a channel as Chan, Golub and LeVeque do (1983).
    private mutating func add(_ mean: Double, _ remainder: Double, _ variance: Double) {
        self.channelCount += 1
        if self.channelCount == 1 {
            (self.mean, self.remainder) = (mean, remainder)
            self.squares = variance
            return
        }
        let difference = (mean - self.mean) + (remainder - self.remainder)
        self.remainder += difference / self.channelCount
        // So that the remainder stays small.
        let sum = self.mean + self.remainder
        (self.mean, self.remainder) = (sum, self.remainder - (sum - self.mean))
        self.squares += variance + difference * difference * ((self.channelCount - 1) / self.channelCount)
    }

    var result: Moments {
        var moments = Moments(spread: self.squares / self.channelCount)
        (moments.mean, moments.remainder) = (self.mean, self.remainder)
        return moments
    }
}
