/// What y = ((x − mean) − remainder)·scale + shift takes for each channel of a block, or for each of its columns.
struct Coefficients<Scalar: ComputationScalar> {
    let means: Vector<Scalar>
    let remainders: Vector<Scalar>
    let scales: Vector<Scalar>
    let shifts: Vector<Scalar>

    /// For layers with a threshold.
    let minimums: Vector<Scalar>?

    init(count: Int, hasMinimum: Bool) throws(LayerError) {
        self.means = try Vector(count: count)
        self.remainders = try Vector(count: count)
        self.scales = try Vector(count: count)
        self.shifts = try Vector(count: count)
        self.minimums = hasMinimum ? try Vector(count: count) : nil
    }

    /// Rounds what was computed in FP64, once, and repeats each channel for all of its columns.
    func set(_ transforms: ChannelTransforms, count: Int, columnsPerChannel: Int) {
        var column = 0
        for index in 0..<count {
            let (high, low) = Self.split(transforms.means[index], transforms.remainders[index])
            let (scale, shift) = (Scalar(transforms.scales[index]), Scalar(transforms.shifts[index]))
            for _ in 0..<columnsPerChannel {
                self.means[column] = high
                self.remainders[column] = low
                self.scales[column] = scale
                self.shifts[column] = shift
                column += 1
            }
        }
        guard let minimums = self.minimums else { return }
        for index in 0..<count * columnsPerChannel {
            minimums[index] = Scalar(transforms.minimums[index / columnsPerChannel])
        }
    }

    /// A mean in twice the precision of the computation, from one in twice that of FP64.
    static func split(_ mean: Double, _ remainder: Double) -> (high: Scalar, low: Scalar) {
        let sum = mean + remainder
        let high = Scalar(sum)
        // Two-sum (Knuth): the remainder may be the larger one. An infinite mean leaves nothing.
        let part = sum - mean
        let rest = (mean - (sum - part)) + (remainder - part)
        let low = Scalar((sum - Double(high)) + rest)
        return (high, low.isFinite ? low : 0)
    }

    /// Repeats the first `count` columns until there are `total`.
    func tile(_ count: Int, until total: Int) {
        for vector in [self.means, self.remainders, self.scales, self.shifts, self.minimums].compactMap(\.self) {
            for index in count..<max(count, total) {
                vector[index] = vector[index - count]
            }
        }
    }
}
