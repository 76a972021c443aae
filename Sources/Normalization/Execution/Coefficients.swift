/// What y = ((x − mean) − remainder)·scale + shift takes for each channel of a block, or for each of its columns.
struct Coefficients<Scalar: ComputationScalar> {
    private let numbers: Vector<Scalar>
    private let count: Int
    private let hasMinimum: Bool

    init(count: Int, hasMinimum: Bool) throws(LayerError) {
        self.numbers = try Vector(count: (hasMinimum ? 5 : 4) * count)
        self.count = count
        self.hasMinimum = hasMinimum
    }

    var means: UnsafeMutablePointer<Scalar> { self.numbers.pointer }
    var remainders: UnsafeMutablePointer<Scalar> { self.numbers.pointer + self.count }
    var scales: UnsafeMutablePointer<Scalar> { self.numbers.pointer + 2 * self.count }
    var shifts: UnsafeMutablePointer<Scalar> { self.numbers.pointer + 3 * self.count }

    /// For layers with a threshold.
    var minimums: UnsafeMutablePointer<Scalar>? { self.hasMinimum ? self.numbers.pointer + 4 * self.count : nil }

    /// Rounds what was computed in FP64, once, and repeats each channel for all of its columns.
    func set(_ transforms: ChannelTransforms, count: Int, columnsPerChannel: Int, _ kernels: Kernels<Scalar>) {
        kernels.splitMeans(transforms.means, transforms.remainders, count, self.means, self.remainders)
        kernels.narrowCoefficients(transforms.scales, self.scales, count)
        kernels.narrowCoefficients(transforms.shifts, self.shifts, count)
        if let minimums = self.minimums {
            kernels.narrowCoefficients(transforms.minimums, minimums, count)
        }
        guard columnsPerChannel > 1 else { return }
        self.forEachKind { numbers in
            // From the end, so that nothing is written over before it is read.
            for channel in (0..<count).reversed() {
                (numbers + channel * columnsPerChannel).update(repeating: numbers[channel], count: columnsPerChannel)
            }
        }
    }

    /// Repeats the first `count` columns until there are `total`.
    func tile(_ count: Int, until total: Int) {
        guard total > count else { return }
        self.forEachKind { numbers in
            for index in count..<total {
                numbers[index] = numbers[index - count]
            }
        }
    }

    private func forEachKind(_ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        for kind in 0..<(self.hasMinimum ? 5 : 4) {
            body(self.numbers.pointer + kind * self.count)
        }
    }
}
