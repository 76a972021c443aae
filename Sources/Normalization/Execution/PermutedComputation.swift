import Tensors

/// Statistics over axes that no layout has side by side: the elements are brought into an order that has, normalized
/// there, and brought back.
struct PermutedComputation: Sendable {
    private let order: PermutedOrder
    private let channels: ChannelComputation

    /// The reduced axes of each index along the kept ones are a channel for `rule`.
    init(_ axes: ReducedAxes, _ rule: some ChannelRule) {
        self.order = PermutedOrder(axes.segments)
        self.channels = ChannelComputation(axes.permutedLayout, ChannelStatistics(), rule)
    }

    /// What `computation`, whose channels are last, does with its channels first.
    init(channelsFirst computation: ChannelComputation, _ statistics: ChannelStatistics) {
        let layout = computation.layout
        self.order = PermutedOrder([
            ReducedAxes.Segment(length: layout.sampleCount, isReduced: false),
            ReducedAxes.Segment(length: layout.positionCount, isReduced: true),
            ReducedAxes.Segment(length: layout.channelCount, isReduced: false),
        ])
        let channelsFirst = ChannelLayout(
            sampleCount: layout.sampleCount,
            channelCount: layout.channelCount,
            positionCount: layout.positionCount,
            isChannelsLast: false,
            channelAxis: layout.channelAxis
        )
        self.channels = ChannelComputation(
            channelsFirst,
            statistics,
            computation.rule,
            hasMinimum: computation.hasMinimum
        )
    }

    func run<Scalar: ComputationScalar>(_ job: Job<Scalar>) throws(LayerError) {
        let permuted: Tensor
        do {
            permuted = try Tensor(uninitialized: Scalar.dataType, shape: job.input.shape)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
        defer { withExtendedLifetime(permuted) {} }
        let elements = permuted.elements(as: Scalar.self)
        guard let base = elements.baseAddress else { return }
        let order = self.order
        try job.distribute(unitCount: order.unitCount) { () throws(LayerError) in
            Gatherer(order: order, source: try job.makeSource(), destination: base)
        }
        try self.channels.run(Job<Scalar>(permuted, permuted, job.kernelSet, threadCount: job.threadCount))
        try job.distribute(unitCount: order.unitCount) { () throws(LayerError) in
            Scatterer(order: order, source: base, sink: try job.makeSink())
        }
    }
}

/// Where the elements of an input stand once its kept axes come before its reduced ones.
///
/// The input is cut into lines along its last segment of axes, and lines are taken together as units of work.
private struct PermutedOrder: Sendable {
    let lineLength: Int

    /// How far apart the elements of a line stand afterwards.
    let lineStride: Int

    /// The segments of axes before the last, the last of them first: their lengths, and how far apart their elements
    /// stand afterwards.
    private let outer: [(length: Int, stride: Int)]

    private let lineCount: Int
    private let linesPerUnit: Int

    init(_ segments: [ReducedAxes.Segment]) {
        var strides = [Int](repeating: 1, count: segments.count)
        var stride = 1
        for isReduced in [true, false] {
            for index in segments.indices.reversed() where segments[index].isReduced == isReduced {
                strides[index] = stride
                stride *= segments[index].length
            }
        }
        self.lineLength = segments.last?.length ?? 1
        self.lineStride = strides.last ?? 1
        self.outer = zip(segments, strides).dropLast().reversed().map { ($0.length, $1) }
        self.lineCount = self.outer.reduce(1) { $0 * $1.length }
        // Enough for handing out a unit to cost nothing beside the work.
        self.linesPerUnit = max(1, 16384 / max(1, self.lineLength))
    }

    var unitCount: Int { (self.lineCount + self.linesPerUnit - 1) / self.linesPerUnit }

    func lines(ofUnit unit: Int) -> Range<Int> {
        let first = unit * self.linesPerUnit
        return first..<min(first + self.linesPerUnit, self.lineCount)
    }

    /// The elements of a line, counted in the input.
    func range(ofLine line: Int) -> Range<Int> {
        line * self.lineLength..<(line + 1) * self.lineLength
    }

    /// Where the first element of a line stands afterwards.
    func position(ofLine line: Int) -> Int {
        var rest = line
        var position = 0
        for (length, stride) in self.outer {
            position += rest % length * stride
            rest /= length
        }
        return position
    }
}

/// Brings lines of the input to where their elements stand in the other order.
private struct Gatherer<Scalar: ComputationScalar>: UnitWorker {
    let order: PermutedOrder
    var source: ElementSource<Scalar>
    let destination: UnsafeMutablePointer<Scalar>

    mutating func perform(_ unit: Int) {
        for line in self.order.lines(ofUnit: unit) {
            var position = self.order.position(ofLine: line)
            for chunk in self.source.chunks(of: self.order.range(ofLine: line)) {
                let elements = self.source.load(chunk)
                for index in 0..<chunk.count {
                    self.destination[position] = elements[index]
                    position += self.order.lineStride
                }
            }
        }
    }
}

/// Brings lines of the output back from where their elements stand in the other order.
private struct Scatterer<Scalar: ComputationScalar>: UnitWorker {
    let order: PermutedOrder
    let source: UnsafePointer<Scalar>
    let sink: ElementSink<Scalar>

    init(order: PermutedOrder, source: UnsafeMutablePointer<Scalar>, sink: ElementSink<Scalar>) {
        self.order = order
        self.source = UnsafePointer(source)
        self.sink = sink
    }

    mutating func perform(_ unit: Int) {
        for line in self.order.lines(ofUnit: unit) {
            var position = self.order.position(ofLine: line)
            for chunk in Chunks(self.order.range(ofLine: line), length: self.sink.chunkLength) {
                let destination = self.sink.destination(chunk)
                for index in 0..<chunk.count {
                    destination[index] = self.source[position]
                    position += self.order.lineStride
                }
                self.sink.commit(chunk)
            }
        }
    }
}
