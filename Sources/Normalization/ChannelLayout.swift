import Tensors

/// An input seen as (samples, channels, positions), or (samples, positions, channels) with the channels last.
struct ChannelLayout: Sendable {
    let sampleCount: Int
    let channelCount: Int

    /// The number of spatial positions; 1 for an input of rank 2.
    let positionCount: Int

    /// Whether the channels are contiguous. With a single position they are, whatever the format's name.
    let isChannelsLast: Bool

    /// The axis of the channels, for messages.
    let channelAxis: Int

    static let supportedRanks = 2...5

    /// The layout of an input whose first axis is that of the samples.
    init(_ shape: Shape, _ format: DataFormat) throws(LayerError) {
        guard Self.supportedRanks.contains(shape.rank) else {
            throw .unsupportedRank(shape.rank, supported: Self.supportedRanks)
        }
        let channelAxis = format == .channelsFirst ? 1 : shape.rank - 1
        // Shape has checked the products of the dimensions.
        self.init(
            sampleCount: shape[0],
            channelCount: shape[channelAxis],
            positionCount: (1..<shape.rank).reduce(1) { $1 == channelAxis ? $0 : $0 * shape[$1] },
            isChannelsLast: format == .channelsLast,
            channelAxis: channelAxis
        )
    }

    init(sampleCount: Int, channelCount: Int, positionCount: Int, isChannelsLast: Bool, channelAxis: Int) {
        self.sampleCount = sampleCount
        self.channelCount = channelCount
        self.positionCount = positionCount
        self.isChannelsLast = isChannelsLast || positionCount == 1
        self.channelAxis = channelAxis
    }

    /// The same elements with every position a sample of its own: for what does not ask which sample it is.
    var flattened: Self {
        guard self.isChannelsLast else { return self }
        return Self(
            sampleCount: self.sampleCount * self.positionCount,
            channelCount: self.channelCount,
            positionCount: 1,
            isChannelsLast: true,
            channelAxis: self.channelAxis
        )
    }

    /// The layout in which all channels of all samples are channels of one.
    var folded: Self {
        Self(
            sampleCount: 1,
            channelCount: self.sampleCount * self.channelCount,
            positionCount: self.positionCount,
            isChannelsLast: false,
            channelAxis: self.channelAxis
        )
    }

    /// Whether samples are contiguous, have statistics of their own, and are so small that what is done for each of
    /// them costs more than their elements.
    func folds(with statistics: ChannelStatistics) -> Bool {
        let isContiguous = !self.isChannelsLast || self.positionCount == 1
        return isContiguous && !statistics.isAcrossSamples && self.sampleCount > 1
            && self.sampleLength <= Tile.length && self.channelCount <= ChannelWorker<Double>.blockLength
    }

    /// Whether the same is so, but that a channel's elements do not stand side by side.
    func isScattered(with statistics: ChannelStatistics) -> Bool {
        self.isChannelsLast && self.positionCount > 1 && !statistics.isAcrossSamples && self.sampleLength <= 1024
    }

    /// The number of elements of one sample.
    var sampleLength: Int { self.channelCount * self.positionCount }

    /// The elements of some channels of a sample, counted in the whole tensor; the channels are not last, or there is
    /// one position only.
    func range(ofSample sample: Int, channels: Range<Int>) -> Range<Int> {
        let first = sample * self.sampleLength
        return first + channels.lowerBound * self.positionCount..<first + channels.upperBound * self.positionCount
    }

    /// Holds a parameter with one element per channel against this input.
    func check(_ parameter: Parameter?) throws(LayerError) {
        guard let parameter else { return }
        guard parameter.count == self.channelCount else {
            throw .channelCountMismatch(
                parameter.name,
                elementCount: parameter.count,
                channelCount: self.channelCount,
                axis: self.channelAxis
            )
        }
        try parameter.checkShape([self.channelCount])
    }
}
