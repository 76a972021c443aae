/// What y = ((x − mean) − remainder)·scale + shift takes for each channel of a block, or for each of its columns.
struct Coefficients<Scalar: ComputationScalar> {
    private let numbers: Vector<Scalar>
    private let count: Int

    /// Whether results are raised to `minimums`.
    let hasMinimum: Bool

    /// Whether a scale is beyond FP32, so that all are multiplied in two steps:
    /// y = (((x − mean) − remainder)·factor)·scale + shift. Factors are powers of two, mostly 1, and change no bit.
    private(set) var isInTwoSteps = false

    init(count: Int, hasMinimum: Bool) throws(LayerError) {
        self.numbers = try Vector(count: 8 * count)
        self.count = count
        self.hasMinimum = hasMinimum
    }

    var means: UnsafeMutablePointer<Scalar> { self[0] }
    var remainders: UnsafeMutablePointer<Scalar> { self[1] }
    var scales: UnsafeMutablePointer<Scalar> { self[2] }
    var shifts: UnsafeMutablePointer<Scalar> { self[3] }

    /// For layers with a threshold.
    var minimums: UnsafeMutablePointer<Scalar>? { self.hasMinimum ? self[4] : nil }

    /// For two steps: the first one scales by `factors` and adds −0, which changes nothing; the second one subtracts 0.
    var factors: UnsafeMutablePointer<Scalar> { self[5] }
    var negativeZeros: UnsafeMutablePointer<Scalar> { self[6] }
    var zeros: UnsafeMutablePointer<Scalar> { self[7] }

    private subscript(kind: Int) -> UnsafeMutablePointer<Scalar> { self.numbers.pointer + kind * self.count }

    /// Rounds scales, which are given up: what FP32 has no number for is left to the factors.
    mutating func setScales(_ scales: UnsafeMutablePointer<Double>, count: Int, _ kernels: Kernels<Scalar>) {
        self.isInTwoSteps = Scalar.self != Double.self && kernels.countBeyondFloat(scales, count) > 0
        if self.isInTwoSteps {
            for index in 0..<count {
                let exponent = scales[index].isNormal ? max(-100, min(100, Int(scales[index].exponent))) : 0
                let isBeyond = kernels.countBeyondFloat(scales + index, 1) > 0
                let factor = isBeyond ? Double(sign: .plus, exponent: exponent, significand: 1) : 1
                // What is too large even so makes something infinite of all but zero; zero it must leave alone.
                let largest = Double(Scalar.greatestFiniteMagnitude)
                scales[index] = isBeyond ? max(-largest, min(largest, scales[index] / factor)) : scales[index]
                self.factors[index] = Scalar(factor)
            }
            self.negativeZeros.update(repeating: -0.0, count: count)
            self.zeros.update(repeating: 0, count: count)
        }
        kernels.narrowCoefficients(scales, self.scales, count)
    }

    /// Rounds what was computed in FP64, once, and repeats each channel for all of its columns.
    mutating func set(_ transforms: ChannelTransforms, count: Int, columnsPerChannel: Int, _ kernels: Kernels<Scalar>) {
        kernels.splitMeans(transforms.means, transforms.remainders, count, self.means, self.remainders)
        self.setScales(transforms.scales, count: count, kernels)
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
        for kind in 0..<(self.isInTwoSteps ? 8 : self.hasMinimum ? 5 : 4) {
            body(self[kind])
        }
    }
}
