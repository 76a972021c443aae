/// A layer's γ and β, one per channel, as FP64 and a block of channels at a time.
struct ChannelAffine {
    private var weight: ElementSource<Double>?
    private var bias: ElementSource<Double>?
    private let ones: Vector<Double>
    private let zeros: Vector<Double>

    init(weight: Parameter?, bias: Parameter?, kernels: Kernels<Double>) throws(LayerError) {
        self.weight = try weight.map { parameter throws(LayerError) in
            try ElementSource(parameter.tensor, kernels: kernels)
        }
        self.bias = try bias.map { parameter throws(LayerError) in
            try ElementSource(parameter.tensor, kernels: kernels)
        }
        self.ones = try Vector(repeating: 1, count: Coefficients<Double>.blockLength)
        self.zeros = try Vector(repeating: 0, count: Coefficients<Double>.blockLength)
    }

    /// γ and β of a block of channels. Valid until the next one is loaded.
    mutating func load(_ channels: Range<Int>) -> (weight: UnsafePointer<Double>, bias: UnsafePointer<Double>) {
        (
            self.weight?.load(channels) ?? UnsafePointer(self.ones.pointer),
            self.bias?.load(channels) ?? UnsafePointer(self.zeros.pointer)
        )
    }
}
