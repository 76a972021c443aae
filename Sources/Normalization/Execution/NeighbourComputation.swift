/// y = x / (k + alpha·Σx²)^beta, summed over neighbouring channels.
struct NeighbourComputation: Sendable {
    fileprivate let sampleCount: Int
    fileprivate let channelCount: Int
    fileprivate let positionCount: Int

    /// How many channels before and after each belong to its neighbours.
    fileprivate let before: Int
    fileprivate let after: Int

    fileprivate let alpha: Double
    fileprivate let beta: Double
    fileprivate let k: Double

    /// - Parameter alpha: what the sum, not the mean, is multiplied by.
    init(_ layout: ChannelLayout, before: Int, after: Int, alpha: Double, beta: Double, k: Double) {
        let layout = layout.flattened
        self.sampleCount = layout.sampleCount
        self.channelCount = layout.channelCount
        self.positionCount = layout.positionCount
        self.before = before
        self.after = after
        self.alpha = alpha
        self.beta = beta
        self.k = k
    }

    /// How many elements a tile has, as far as the channels let it: their squares and sums fit into the second-level
    /// cache.
    private static let tileLength = 1 << 15

    /// How many positions a tile has, of all channels. At least 16, which is a cache line of FP32.
    fileprivate var positionsPerTile: Int {
        min(self.positionCount, max(16, min(1024, Self.tileLength / self.channelCount)))
    }

    fileprivate var tilesPerSample: Int { (self.positionCount - 1) / self.positionsPerTile + 1 }

    /// How many samples a unit takes; one where that is more than a tile.
    fileprivate var samplesPerUnit: Int { max(1, Self.tileLength / (self.channelCount * self.positionCount)) }

    func run<Scalar>(_ job: Job<Scalar>) throws(LayerError) {
        let groupCount = (self.sampleCount - 1) / self.samplesPerUnit + 1
        try job.distribute(unitCount: groupCount * self.tilesPerSample) { () throws(LayerError) in
            try NeighbourWorker(self, job)
        }
    }
}

/// One thread of a `NeighbourComputation`. All squares of a tile are there before the first element is overwritten.
private struct NeighbourWorker<Scalar: ComputationScalar>: UnitWorker {
    private let computation: NeighbourComputation
    private let kernels: Kernels<Scalar>
    private var source: ElementSource<Scalar>
    private let sink: ElementSink<Scalar>
    private let squares: Vector<Double>
    private let sums: Vector<Double>

    init(_ computation: NeighbourComputation, _ job: Job<Scalar>) throws(LayerError) {
        self.computation = computation
        self.kernels = job.kernels
        self.source = try job.makeSource()
        self.sink = try job.makeSink()
        self.squares = try Vector(count: computation.channelCount * computation.positionsPerTile)
        self.sums = try Vector(count: self.squares.count)
    }

    mutating func perform(_ unit: Int) {
        let computation = self.computation
        let (group, tile) = unit.quotientAndRemainder(dividingBy: computation.tilesPerSample)
        let first = tile * computation.positionsPerTile
        let positions = first..<min(first + computation.positionsPerTile, computation.positionCount)
        let firstSample = group * computation.samplesPerUnit
        for sample in firstSample..<min(firstSample + computation.samplesPerUnit, computation.sampleCount) {
            self.normalize(sample, positions)
        }
    }

    private mutating func normalize(_ sample: Int, _ positions: Range<Int>) {
        let computation = self.computation
        self.forEachSpan(sample, positions) { worker, range, offset in
            worker.kernels.squares(worker.source.load(range), worker.squares.pointer + offset, range.count)
        }
        self.kernels.windowSums(
            self.squares.pointer,
            self.sums.pointer,
            computation.channelCount,
            positions.count,
            computation.before,
            computation.after
        )
        self.forEachSpan(sample, positions) { worker, range, offset in
            worker.kernels.divideByResponse(
                worker.source.load(range),
                worker.sink.destination(range),
                range.count,
                worker.sums.pointer + offset,
                computation.k,
                computation.alpha,
                computation.beta
            )
            worker.sink.commit(range)
        }
    }

    /// Calls `body` with each contiguous piece of a tile, and where in the tile it begins.
    private mutating func forEachSpan(
        _ sample: Int,
        _ positions: Range<Int>,
        _ body: (inout Self, Range<Int>, Int) -> Void
    ) {
        let (channelCount, positionCount) = (self.computation.channelCount, self.computation.positionCount)
        // All positions of all channels are contiguous.
        let isWhole = positions.count == positionCount
        let (spanCount, spanLength) =
            isWhole ? (1, channelCount * positionCount) : (channelCount, positions.count)
        for span in 0..<spanCount {
            let start = (sample * channelCount + span) * positionCount + positions.lowerBound
            for range in Chunks(start..<start + spanLength, length: ElementSource<Scalar>.convertedChunkLength) {
                body(&self, range, span * spanLength + range.lowerBound - start)
            }
        }
    }
}
