/// What y = ((x − mean) − remainder)·scale + shift takes for each channel of a block.
struct Coefficients<Scalar: ComputationScalar> {
    /// How many channels a block has at most: what bounds the memory, whatever the input's shape.
    static var blockLength: Int { ElementSource<Double>.convertedChunkLength }

    let means: Vector<Scalar>
    let remainders: Vector<Scalar>
    let scales: Vector<Scalar>
    let shifts: Vector<Scalar>

    init() throws(LayerError) {
        self.means = try Vector(count: Self.blockLength)
        self.remainders = try Vector(count: Self.blockLength)
        self.scales = try Vector(count: Self.blockLength)
        self.shifts = try Vector(count: Self.blockLength)
    }

    /// Rounds what was computed in FP64, once.
    func set(_ index: Int, mean: Double, remainder: Double = 0, scale: Double, shift: Double) {
        let high = Scalar(mean)
        self.means[index] = high
        // An infinite mean leaves no remainder.
        self.remainders[index] = high.isFinite ? Scalar((mean - Double(high)) + remainder) : 0
        self.scales[index] = Scalar(scale)
        self.shifts[index] = Scalar(shift)
    }

    /// Repeats the first `count` channels until there are `total`.
    func tile(_ count: Int, until total: Int) {
        for vector in [self.means, self.remainders, self.scales, self.shifts] {
            for index in count..<max(count, total) {
                vector[index] = vector[index - count]
            }
        }
    }
}
