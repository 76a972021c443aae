/// What y = ((x − mean) − remainder)·scale + shift takes for each channel of a block, or for each of its columns.
struct Coefficients<Scalar: ComputationScalar> {
    /// How many columns a block has at most: what bounds the memory, whatever the input's shape.
    static var blockLength: Int { ElementSource<Double>.convertedChunkLength }

    let means: Vector<Scalar>
    let remainders: Vector<Scalar>
    let scales: Vector<Scalar>
    let shifts: Vector<Scalar>

    /// How many times each channel stands there.
    private let columnsPerChannel: Int

    init(for layout: ChannelLayout) throws(LayerError) {
        self.columnsPerChannel = layout.columnsPerChannel ?? 1
        self.means = try Vector(count: Self.blockLength)
        self.remainders = try Vector(count: Self.blockLength)
        self.scales = try Vector(count: Self.blockLength)
        self.shifts = try Vector(count: Self.blockLength)
    }

    /// How many channels a block has at most.
    var channelsPerBlock: Int { Self.blockLength / self.columnsPerChannel }

    /// Rounds what was computed in FP64, once.
    func set(_ index: Int, mean: Double, remainder: Double = 0, scale: Double, shift: Double) {
        let high = Scalar(mean)
        // An infinite mean leaves no remainder.
        let low = high.isFinite ? Scalar((mean - Double(high)) + remainder) : 0
        let (scale, shift) = (Scalar(scale), Scalar(shift))
        for column in index * self.columnsPerChannel..<(index + 1) * self.columnsPerChannel {
            self.means[column] = high
            self.remainders[column] = low
            self.scales[column] = scale
            self.shifts[column] = shift
        }
    }

    /// Repeats the first `count` columns until there are `total`.
    func tile(_ count: Int, until total: Int) {
        for vector in [self.means, self.remainders, self.scales, self.shifts] {
            for index in count..<max(count, total) {
                vector[index] = vector[index - count]
            }
        }
    }
}
