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

    init(_ shape: Shape, _ format: DataFormat) throws(LayerError) {
        guard Self.supportedRanks.contains(shape.rank) else {
            throw .unsupportedRank(shape.rank, supported: Self.supportedRanks)
        }
        let channelAxis = format == .channelsFirst ? 1 : shape.rank - 1
        self.sampleCount = shape[0]
        self.channelCount = shape[channelAxis]
        // Shape has checked the products of the dimensions.
        self.positionCount = (1..<shape.rank).reduce(1) { $1 == channelAxis ? $0 : $0 * shape[$1] }
        self.channelAxis = channelAxis
        self.isChannelsLast = format == .channelsLast || self.positionCount == 1
    }

    /// How many neighbouring columns a channel takes where the input is a matrix whose columns share coefficients: one
    /// where the channels are contiguous, few where they have few positions. None where channels are long spans.
    var columnsPerChannel: Int? {
        if self.isChannelsLast { return 1 }
        return self.positionCount < 16 ? self.positionCount : nil
    }

    /// The rows of that matrix that belong to some samples.
    func rows(ofSamples samples: Range<Int>) -> Range<Int> {
        guard self.isChannelsLast else { return samples }
        return samples.lowerBound * self.positionCount..<samples.upperBound * self.positionCount
    }

    /// The number of elements of one sample.
    var sampleLength: Int { self.channelCount * self.positionCount }

    /// The elements of a sample, counted in the whole tensor.
    func range(ofSample sample: Int) -> Range<Int> {
        sample * self.sampleLength..<(sample + 1) * self.sampleLength
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
