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
