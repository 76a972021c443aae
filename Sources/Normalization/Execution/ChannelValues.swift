/// The elements of a rule's parameters as FP64, a block of channels at a time.
struct ChannelValues {
    private let parameters: [ChannelParameter]
    private var sources: [ElementSource<Double>?]
    private let defaults: [Vector<Double>?]
    private let channelCount: Int

    /// Where the elements of each parameter stand. Valid until the next block is loaded.
    private(set) var pointers: [UnsafePointer<Double>]

    /// - Parameter blockLength: how many channels are loaded at once, at most.
    init(
        _ parameters: [ChannelParameter],
        channelCount: Int,
        blockLength: Int,
        kernels: Kernels<Double>
    ) throws(LayerError) {
        self.parameters = parameters
        self.channelCount = channelCount
        self.sources = []
        var defaults: [Vector<Double>?] = []
        self.pointers = []
        for parameter in parameters {
            if let tensor = parameter.parameter?.tensor {
                var source = try ElementSource<Double>(tensor, kernels: kernels)
                self.pointers.append(source.load(0..<0))
                self.sources.append(source)
                defaults.append(nil)
            } else {
                let vector = try Vector(repeating: parameter.defaultValue, count: blockLength)
                self.sources.append(nil)
                defaults.append(vector)
                self.pointers.append(UnsafePointer(vector.pointer))
            }
        }
        self.defaults = defaults
    }

    /// Loads the elements of some channels of a sample.
    mutating func load(_ channels: Range<Int>, sample: Int) {
        for index in self.parameters.indices {
            let first = self.parameters[index].isPerSample ? sample * self.channelCount : 0
            if let pointer = self.sources[index]?.load(first + channels.lowerBound..<first + channels.upperBound) {
                self.pointers[index] = pointer
            }
        }
    }
}
