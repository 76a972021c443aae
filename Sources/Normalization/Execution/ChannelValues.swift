/// The elements of a rule's parameters as FP64, a block of channels at a time.
struct ChannelValues {
    private let parameters: [ChannelParameter]
    private var sources: [ElementSource<Double>?]
    private let defaults: [Vector<Double>?]
    private let channelCount: Int

    /// The elements again and again, where samples are folded, and how many of them stand there.
    private let repeated: [Vector<Double>?]
    private var repeatedCounts: [Int]

    /// Where the elements of each parameter stand. Valid until the next block is loaded.
    private(set) var pointers: [UnsafePointer<Double>]

    /// - Parameters:
    ///   - channelCount: how many channels a sample of the input has.
    ///   - blockLength: how many channels are loaded at once, at most.
    ///   - isFolded: whether these may be channels of several samples.
    init(
        _ parameters: [ChannelParameter],
        channelCount: Int,
        blockLength: Int,
        isFolded: Bool,
        kernels: Kernels<Double>
    ) throws(LayerError) {
        self.parameters = parameters
        self.channelCount = channelCount
        self.sources = []
        var defaults: [Vector<Double>?] = []
        var repeated: [Vector<Double>?] = []
        self.pointers = []
        for parameter in parameters {
            if let tensor = parameter.parameter?.tensor {
                var source = try ElementSource<Double>(tensor, kernels: kernels)
                self.pointers.append(source.load(0..<0))
                self.sources.append(source)
                defaults.append(nil)
                repeated.append(isFolded ? try Vector(count: blockLength) : nil)
            } else {
                let vector = try Vector(repeating: parameter.defaultValue, count: blockLength)
                self.sources.append(nil)
                repeated.append(nil)
                defaults.append(vector)
                self.pointers.append(UnsafePointer(vector.pointer))
            }
        }
        self.defaults = defaults
        self.repeated = repeated
        self.repeatedCounts = parameters.map { _ in 0 }
    }

    /// Loads the elements of some channels of a sample. Those of several samples in a row count on beyond the channels
    /// of the first, and have the same elements again.
    mutating func load(_ channels: Range<Int>, sample: Int) {
        for index in self.parameters.indices {
            if self.parameters[index].isPerSample {
                let first = sample * self.channelCount
                self.load(index, first + channels.lowerBound..<first + channels.upperBound)
            } else if channels.upperBound <= self.channelCount {
                self.load(index, channels)
            } else {
                self.repeatElements(of: index, channels)
            }
        }
    }

    private mutating func load(_ index: Int, _ range: Range<Int>) {
        if let pointer = self.sources[index]?.load(range) {
            self.pointers[index] = pointer
        }
    }

    private mutating func repeatElements(of index: Int, _ channels: Range<Int>) {
        guard let repeated = self.repeated[index], let elements = self.sources[index]?.load(0..<self.channelCount)
        else {
            return
        }
        self.pointers[index] = UnsafePointer(repeated.pointer)
        let first = channels.lowerBound % self.channelCount
        guard first != 0 || channels.count > self.repeatedCounts[index] else { return }
        for position in 0..<channels.count {
            repeated[position] = elements[(first + position) % self.channelCount]
        }
        self.repeatedCounts[index] = first == 0 ? channels.count : 0
    }
}
