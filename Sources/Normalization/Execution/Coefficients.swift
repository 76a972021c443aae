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
    func set(_ transforms: ChannelTransforms, count: Int, columnsPerChannel: Int, _ kernels: Kernels<Scalar>) {
        kernels.splitMeans(transforms.means, transforms.remainders, count, self.means.pointer, self.remainders.pointer)
        kernels.narrowCoefficients(transforms.scales, self.scales.pointer, count)
        kernels.narrowCoefficients(transforms.shifts, self.shifts.pointer, count)
        if let minimums = self.minimums {
            kernels.narrowCoefficients(transforms.minimums, minimums.pointer, count)
        }
        guard columnsPerChannel > 1 else { return }
        for vector in self.vectors {
            // From the end, so that nothing is written over before it is read.
            for channel in (0..<count).reversed() {
                (vector.pointer + channel * columnsPerChannel)
                    .update(repeating: vector[channel], count: columnsPerChannel)
            }
        }
    }

    private var vectors: [Vector<Scalar>] {
        [self.means, self.remainders, self.scales, self.shifts] + (self.minimums.map { [$0] } ?? [])
    }

    /// Repeats the first `count` columns until there are `total`.
    func tile(_ count: Int, until total: Int) {
        guard total > count else { return }
        for vector in self.vectors {
            for index in count..<total {
                vector[index] = vector[index - count]
            }
        }
    }
}
