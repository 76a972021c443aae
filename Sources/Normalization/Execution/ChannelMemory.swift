/// Memory for what a rule reads and writes, one element for each channel of a block.
struct ChannelMemory {
    private let numbers: Vector<Double>
    private let count: Int

    /// - Parameter statistics: without them there is no room for `moments`, without a summary none for `samples`.
    init(count: Int, _ statistics: ChannelStatistics?) throws(LayerError) {
        let kindCount = statistics.map { $0.summary == .none ? 8 : 11 } ?? 5
        self.numbers = try Vector(count: kindCount * count)
        self.count = count
    }

    var moments: ChannelMoments {
        ChannelMoments(means: self[5], remainders: self[6], spreads: self[7])
    }

    /// What the channels of a sample have in common, for each of them.
    var samples: ChannelMoments {
        ChannelMoments(means: self[8], remainders: self[9], spreads: self[10])
    }

    var transforms: ChannelTransforms {
        ChannelTransforms(means: self[0], remainders: self[1], scales: self[2], shifts: self[3], minimums: self[4])
    }

    /// Says of some channels what their sample has in common.
    func setSample(_ summary: Moments, for channels: Range<Int>) {
        let samples = self.samples
        (samples.means + channels.lowerBound).update(repeating: summary.mean, count: channels.count)
        (samples.remainders + channels.lowerBound).update(repeating: summary.remainder, count: channels.count)
        (samples.spreads + channels.lowerBound).update(repeating: summary.spread, count: channels.count)
    }

    /// The statistics of each of some channels, from those of the groups from `firstChannel` on.
    func spread(
        _ groups: ChannelMoments,
        over channels: Range<Int>,
        firstChannel: Int,
        channelsPerGroup: Int
    ) -> ChannelMoments {
        let first = channels.lowerBound - firstChannel
        if channelsPerGroup == 1 {
            return ChannelMoments(
                means: groups.means + first,
                remainders: groups.remainders + first,
                spreads: groups.spreads + first
            )
        }
        let moments = self.moments
        var index = 0
        while index < channels.count {
            let group = (first + index) / channelsPerGroup
            let count = min((group + 1) * channelsPerGroup - first, channels.count) - index
            (moments.means + index).update(repeating: groups.means[group], count: count)
            (moments.remainders + index).update(repeating: groups.remainders[group], count: count)
            (moments.spreads + index).update(repeating: groups.spreads[group], count: count)
            index += count
        }
        return moments
    }

    private subscript(index: Int) -> UnsafeMutablePointer<Double> { self.numbers.pointer + index * self.count }
}
