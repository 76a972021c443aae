/// The elements of a rule's parameters as FP64, a block of channels at a time.
struct ChannelValues {
    /// One of the parameters.
    private struct Entry {
        /// Absent where the parameter is.
        var source: ElementSource<Double>?

        let isPerSample: Bool

        /// What stands for an absent parameter; or room for the elements again and again, where samples are folded.
        let memory: Vector<Double>?

        /// How many of the elements stand there, from the first one on.
        var repeatedCount = 0
    }

    private var entries: [Entry] = []
    private let channelCount: Int

    /// Where the elements of each parameter stand. Valid until the next block is loaded.
    private(set) var pointers: [UnsafePointer<Double>] = []

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
        self.channelCount = channelCount
        self.entries.reserveCapacity(parameters.count)
        self.pointers.reserveCapacity(parameters.count)
        for parameter in parameters {
            if let tensor = parameter.parameter?.tensor {
                var source = try ElementSource<Double>(tensor, kernels: kernels)
                self.pointers.append(source.load(0..<0))
                let memory: Vector<Double>? = isFolded ? try Vector(count: blockLength) : nil
                self.entries.append(Entry(source: source, isPerSample: parameter.isPerSample, memory: memory))
            } else {
                let memory = try Vector(repeating: parameter.defaultValue, count: blockLength)
                self.pointers.append(UnsafePointer(memory.pointer))
                self.entries.append(Entry(source: nil, isPerSample: false, memory: memory))
            }
        }
    }

    /// Loads the elements of some channels of a sample. Those of several samples in a row count on beyond the channels
    /// of the first, and have the same elements again.
    mutating func load(_ channels: Range<Int>, sample: Int) {
        for index in self.entries.indices where self.entries[index].source != nil {
            if self.entries[index].isPerSample {
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
        if let pointer = self.entries[index].source?.load(range) {
            self.pointers[index] = pointer
        }
    }

    private mutating func repeatElements(of index: Int, _ channels: Range<Int>) {
        guard let memory = self.entries[index].memory,
            let elements = self.entries[index].source?.load(0..<self.channelCount)
        else { return }
        self.pointers[index] = UnsafePointer(memory.pointer)
        let first = channels.lowerBound % self.channelCount
        guard first != 0 || channels.count > self.entries[index].repeatedCount else { return }
        for position in 0..<channels.count {
            memory[position] = elements[(first + position) % self.channelCount]
        }
        self.entries[index].repeatedCount = first == 0 ? channels.count : 0
    }
}
