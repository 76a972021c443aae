import Tensors

/// Normalizes channels by what a rule makes of their parameters and, for most layers, of their statistics.
struct ChannelComputation: Sendable {
    /// Small samples are seen as one: theirs are then channels of a sample that has all of them.
    let layout: ChannelLayout

    /// How many of the channels make a sample of the input.
    let channelsPerSample: Int

    /// None where the rule knows everything from its parameters.
    let statistics: ChannelStatistics?

    let rule: any ChannelRule

    /// Whether results are raised to a minimum.
    let hasMinimum: Bool

    init(
        _ layout: ChannelLayout,
        _ statistics: ChannelStatistics?,
        _ rule: any ChannelRule,
        hasMinimum: Bool = false
    ) {
        let isFolded = statistics.map { layout.folds(with: $0) } ?? false
        self.layout = isFolded ? layout.folded : statistics == nil ? layout.flattened : layout
        self.channelsPerSample = layout.channelCount
        self.statistics = statistics
        self.rule = rule
        self.hasMinimum = hasMinimum
    }

    /// Whether samples are so small that several are taken together.
    var isFolded: Bool { self.channelsPerSample < self.layout.channelCount }

    func run<Scalar>(_ job: Job<Scalar>) throws(LayerError) {
        if let statistics, self.layout.isScattered(with: statistics) {
            try PermutedComputation(channelsFirst: self, statistics).run(job)
            return
        }
        let grid = ChannelGrid(self, threadCount: job.threadCount)
        try job.distribute(unitCount: grid.unitCount) { () throws(LayerError) in
            try ChannelWorker(self, grid, job)
        }
    }

    /// How many neighbouring columns a channel takes where the input is normalized as a matrix whose columns have
    /// coefficients: one where the channels are contiguous; few where channels have few positions, and the samples
    /// share the coefficients. None where channels are spans.
    var columnsPerChannel: Int? {
        if self.layout.isChannelsLast { return 1 }
        let isShared = self.statistics?.isAcrossSamples ?? true
        return isShared && self.layout.positionCount < 16 ? self.layout.positionCount : nil
    }

    /// Whether statistics are taken by columns, because what shares them is not contiguous.
    var takesColumnStatistics: Bool {
        guard let statistics, self.columnsPerChannel != nil else { return false }
        return statistics.isAcrossSamples || self.layout.positionCount > 1
    }

    /// The rows of the matrix that belong to some samples.
    func rows(ofSamples samples: Range<Int>) -> Range<Int> {
        guard self.layout.isChannelsLast else { return samples }
        return samples.lowerBound * self.layout.positionCount..<samples.upperBound * self.layout.positionCount
    }
}
