/// The statistics of several groups or rows.
struct MomentVector {
    private let numbers: Vector<Double>
    private let count: Int

    /// Means are zero until they are set: those about zero never are.
    init(count: Int) throws(LayerError) {
        self.numbers = try Vector(repeating: 0, count: 3 * count)
        self.count = count
    }

    var means: UnsafeMutablePointer<Double> { self.numbers.pointer }
    var remainders: UnsafeMutablePointer<Double> { self.numbers.pointer + self.count }
    var spreads: UnsafeMutablePointer<Double> { self.numbers.pointer + 2 * self.count }

    func set(_ index: Int, _ moments: Moments) {
        self.means[index] = moments.mean
        self.remainders[index] = moments.remainder
        self.spreads[index] = moments.spread
    }
}
