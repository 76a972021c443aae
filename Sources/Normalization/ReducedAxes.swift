import Tensors

/// The axes over which statistics are taken among all axes of an input.
struct ReducedAxes: Sendable {
    /// Neighbouring axes that are all reduced, or all kept.
    struct Segment {
        var length: Int
        let isReduced: Bool
    }

    /// All axes but those of length 1, which are either. Reduced and kept ones alternate.
    let segments: [Segment]

    /// - Parameter axes: each once, counted from the first.
    init(_ axes: [Int], of shape: Shape) {
        var segments: [Segment] = []
        for (axis, length) in shape.dimensions.enumerated() where length != 1 {
            let isReduced = axes.contains(axis)
            if let last = segments.last, last.isReduced == isReduced {
                // Shape has checked the products of the dimensions.
                segments[segments.count - 1].length *= length
            } else {
                segments.append(Segment(length: length, isReduced: isReduced))
            }
        }
        self.segments = segments
    }

    /// The layout in which what shares its statistics makes a channel, of a sample or of all samples. None where
    /// neither reduced nor kept axes are neighbours.
    var layout: (layout: ChannelLayout, isAcrossSamples: Bool)? {
        let lengths = self.segments.map(\.length)
        switch (self.segments.first?.isReduced, self.segments.count) {
        case (nil, _): return (Self.layout(1, 1, 1), false)
        case (true, 1): return (Self.layout(1, 1, lengths[0]), false)
        case (false, 1): return (Self.layout(1, lengths[0], 1), false)
        case (false, 2): return (Self.layout(1, lengths[0], lengths[1]), false)
        case (true, 2): return (Self.layout(1, lengths[1], lengths[0], isChannelsLast: true), false)
        case (false, 3): return (Self.layout(lengths[0], lengths[2], lengths[1], isChannelsLast: true), false)
        case (true, 3): return (Self.layout(lengths[0], lengths[1], lengths[2]), true)
        default: return nil
        }
    }

    /// The layout in which all elements make one channel.
    static func allLayout(of shape: Shape) -> ChannelLayout {
        self.layout(1, shape.elementCount)
    }

    /// The layout of the same elements with the kept axes before the reduced ones.
    var permutedLayout: ChannelLayout {
        Self.layout(self.count(ofReduced: false), self.count(ofReduced: true))
    }

    private func count(ofReduced isReduced: Bool) -> Int {
        self.segments.reduce(1) { $1.isReduced == isReduced ? $0 * $1.length : $0 }
    }

    private static func layout(_ channelCount: Int, _ positionCount: Int) -> ChannelLayout {
        self.layout(1, channelCount, positionCount)
    }

    private static func layout(
        _ sampleCount: Int,
        _ channelCount: Int,
        _ positionCount: Int,
        isChannelsLast: Bool = false
    ) -> ChannelLayout {
        ChannelLayout(
            sampleCount: sampleCount,
            channelCount: channelCount,
            positionCount: positionCount,
            isChannelsLast: isChannelsLast,
            channelAxis: 0
        )
    }
}
