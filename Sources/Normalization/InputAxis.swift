import Tensors

/// One axis of an input, between the axes before it and those behind it: (outer, axis, inner).
struct InputAxis: Sendable {
    /// Counted from the first axis.
    let index: Int

    let length: Int
    let outerCount: Int
    let innerCount: Int

    static let supportedRanks = 1...5

    /// - Parameters:
    ///   - axis: as the parameter `name` has it; negative counts from the end.
    init(_ axis: Int, of shape: Shape, _ name: ParameterName) throws(LayerError) {
        try Self.checkRank(of: shape)
        self.index = try Self.resolve(axis, rank: shape.rank, name)
        self.length = shape[self.index]
        // Shape has checked the products of the dimensions.
        self.outerCount = shape.dimensions[..<self.index].reduce(1, *)
        self.innerCount = shape.dimensions[(self.index + 1)...].reduce(1, *)
    }

    /// The layout in which every index along the axis is a channel.
    var channels: ChannelLayout {
        ChannelLayout(
            sampleCount: self.outerCount,
            channelCount: self.length,
            positionCount: self.innerCount,
            isChannelsLast: false,
            channelAxis: self.index
        )
    }

    /// The layout in which what stands along the axis makes a channel.
    var lines: ChannelLayout {
        ChannelLayout(
            sampleCount: self.innerCount == 1 ? 1 : self.outerCount,
            channelCount: self.innerCount == 1 ? self.outerCount : self.innerCount,
            positionCount: self.length,
            isChannelsLast: self.innerCount > 1,
            channelAxis: self.index
        )
    }

    /// Holds a parameter with one element per index along the axis against the input.
    func checkCount(_ parameter: Parameter?) throws(LayerError) {
        guard let parameter, parameter.count != self.length else { return }
        throw .axisLengthMismatch(
            parameter.name,
            elementCount: parameter.count,
            length: self.length,
            axis: self.index
        )
    }

    static func checkRank(of shape: Shape) throws(LayerError) {
        guard Self.supportedRanks.contains(shape.rank) else {
            throw .unsupportedRank(shape.rank, supported: Self.supportedRanks)
        }
    }

    /// Counts an axis from the first.
    static func resolve(_ axis: Int, rank: Int, _ name: ParameterName) throws(LayerError) -> Int {
        guard (-rank..<rank).contains(axis) else { throw .axisOutOfRange(axis, rank: rank, name) }
        return axis < 0 ? axis + rank : axis
    }
}
