/// The units of work on channels: blocks of channels by runs of samples.
struct ChannelGrid: Sendable {
    private let layout: ChannelLayout
    private let channelsPerUnit: Int
    private let samplesPerUnit: Int
    private let runCount: Int
    let unitCount: Int

    /// How many elements are worth being a unit: a few microseconds of work.
    private static let unitLength = 1 << 16

    /// How many columns a matrix must have for its rows to be cut.
    static let cutWidth = 256

    init(_ computation: ChannelComputation, threadCount: Int) {
        let layout = computation.layout
        self.layout = layout
        self.channelsPerUnit = Self.channelsPerUnit(computation, threadCount: threadCount)
        self.samplesPerUnit =
            computation.statistics?.isAcrossSamples == true
            ? layout.sampleCount
            : min(max(1, Self.unitLength / (self.channelsPerUnit * layout.positionCount)), layout.sampleCount)
        self.runCount = (layout.sampleCount - 1) / self.samplesPerUnit + 1
        self.unitCount = self.runCount * ((layout.channelCount - 1) / self.channelsPerUnit + 1)
    }

    /// The units of a block of channels follow one another, so that its coefficients can stay.
    subscript(unit: Int) -> (channels: Range<Int>, samples: Range<Int>) {
        let (block, run) = unit.quotientAndRemainder(dividingBy: self.runCount)
        let (channel, sample) = (block * self.channelsPerUnit, run * self.samplesPerUnit)
        return (
            channel..<min(channel + self.channelsPerUnit, self.layout.channelCount),
            sample..<min(sample + self.samplesPerUnit, self.layout.sampleCount)
        )
    }

    /// Whole groups; all channels where they have statistics in common.
    private static func channelsPerUnit(_ computation: ChannelComputation, threadCount: Int) -> Int {
        let (layout, columnsPerChannel) = (computation.layout, computation.columnsPerChannel)
        guard let statistics = computation.statistics else {
            let channelsPerBlock = ChannelWorker<Double>.blockLength / (columnsPerChannel ?? 1)
            let worthwhile = columnsPerChannel == nil ? max(1, self.unitLength / layout.positionCount) : .max
            return min(worthwhile, channelsPerBlock, layout.channelCount)
        }
        if computation.isFolded {
            let sampleLength = computation.channelsPerSample * layout.positionCount
            return min(max(1, self.unitLength / sampleLength) * computation.channelsPerSample, layout.channelCount)
        }
        guard statistics.summary == .none else { return layout.channelCount }
        func wholeGroups(_ count: Int) -> Int {
            let groupSize = statistics.channelsPerGroup
            return min((max(count, 1) - 1) / groupSize * groupSize + groupSize, layout.channelCount)
        }
        let sharingSamples = statistics.isAcrossSamples ? layout.sampleCount : 1
        guard computation.takesColumnStatistics, let columnsPerChannel else {
            return wholeGroups(self.unitLength / layout.positionCount / sharingSamples)
        }
        // Rows are cut into a few wide pieces where there are not samples enough to share them out.
        let width = layout.channelCount * columnsPerChannel
        let isCut = width >= self.cutWidth && (statistics.isAcrossSamples || layout.sampleCount < threadCount)
        return isCut
            ? wholeGroups(max(layout.channelCount / (2 * threadCount), 128 / columnsPerChannel))
            : layout.channelCount
    }
}
