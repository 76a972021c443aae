import Tensors

/// One thread's share in normalizing channels, with the memory that it needs.
struct ChannelWorker<Scalar: ComputationScalar>: UnitWorker {
    /// How many columns a block of channels has at most: what bounds the memory, whatever the input's shape.
    static var blockLength: Int { ElementSource<Double>.convertedChunkLength }

    private let computation: ChannelComputation
    private let grid: ChannelGrid
    private let kernels: Kernels<Scalar>
    private let wideKernels: Kernels<Double>

    /// Kernels that leave out the detour over source and sink, if there are any.
    private let narrowKernels: NarrowKernels<Scalar>?
    private var source: ElementSource<Scalar>
    private let sink: ElementSink<Scalar>
    private var groups: GroupStatistics<Scalar>?
    private var values: ChannelValues
    private let memory: ChannelMemory
    private var coefficients: Coefficients<Scalar>
    private let channelsPerBlock: Int
    private let channelsPerTile: Int

    /// The channels whose coefficients stay from unit to unit, as they depend on parameters only.
    private var frozenChannels = 0..<0

    init(_ computation: ChannelComputation, _ grid: ChannelGrid, _ job: Job<Scalar>) throws(LayerError) {
        self.computation = computation
        self.grid = grid
        self.kernels = job.kernels
        self.wideKernels = job.kernelSet.double
        self.narrowKernels = computation.hasMinimum ? nil : job.narrowKernels
        self.source = try job.makeSource()
        self.sink = try job.makeSink()
        let layout = computation.layout
        let columnsPerChannel = computation.columnsPerChannel ?? 1
        self.channelsPerBlock = min(Self.blockLength / columnsPerChannel, layout.channelCount)
        self.channelsPerTile = Self.channelsPerTile(computation, self.channelsPerBlock, self.source.chunkLength)
        self.values = try ChannelValues(
            computation.rule.parameters,
            channelCount: computation.channelsPerSample,
            blockLength: self.channelsPerBlock,
            isFolded: computation.isFolded,
            kernels: job.kernelSet.double
        )
        self.memory = try ChannelMemory(count: self.channelsPerBlock, computation.statistics)
        // Narrow rows, of less than 64 columns, are repeated up to 16 times.
        self.coefficients = try Coefficients(
            count: max(self.channelsPerBlock * columnsPerChannel, 1024),
            hasMinimum: computation.hasMinimum
        )
        if let statistics = computation.statistics {
            let groupCount = self.channelsPerTile / statistics.channelsPerGroup
            self.groups = try GroupStatistics(computation, statistics, groupCount: groupCount, job)
        }
    }

    mutating func perform(_ unit: Int) {
        let (channels, samples) = self.grid[unit]
        guard let statistics = self.computation.statistics else {
            if channels != self.frozenChannels {
                self.setCoefficients(channels, sample: samples.lowerBound, self.memory.moments)
                self.frozenChannels = channels
            }
            self.normalize(channels, samples: samples)
            return
        }
        for shared in Chunks(samples, length: statistics.isAcrossSamples ? samples.count : 1) {
            self.normalize(channels, samples: shared, by: statistics)
        }
    }

    /// Some channels of samples that share their statistics.
    private mutating func normalize(_ channels: Range<Int>, samples: Range<Int>, by statistics: ChannelStatistics) {
        guard var groups = self.groups.take() else { return }
        defer { self.groups = groups }
        let tiles = Chunks(channels, length: self.channelsPerTile)
        if statistics.summary != .none, !self.computation.isFolded {
            var summary = SampleSummary(statistics.summary, positionCount: self.computation.layout.positionCount)
            for tile in tiles {
                groups.take(tile, samples: samples, from: &self.source)
                summary.add(groups.groups, 0..<tile.count)
            }
            self.memory.setSample(summary.result, for: 0..<self.channelsPerBlock)
        }
        for tile in tiles {
            groups.take(tile, samples: samples, from: &self.source)
            if statistics.summary != .none, self.computation.isFolded {
                self.summarize(groups.groups, of: tile, statistics)
            }
            for part in Chunks(tile, length: self.channelsPerBlock) {
                let moments = self.memory.spread(
                    groups.groups,
                    over: part,
                    firstChannel: tile.lowerBound,
                    channelsPerGroup: statistics.channelsPerGroup
                )
                self.setCoefficients(part, sample: samples.lowerBound, moments)
                self.normalize(part, samples: samples)
            }
        }
    }

    /// What the channels of each of some whole samples have in common.
    private func summarize(_ channels: ChannelMoments, of tile: Range<Int>, _ statistics: ChannelStatistics) {
        for sample in Chunks(0..<tile.count, length: self.computation.channelsPerSample) {
            var summary = SampleSummary(statistics.summary, positionCount: self.computation.layout.positionCount)
            summary.add(channels, sample)
            self.memory.setSample(summary.result, for: sample)
        }
    }

    private mutating func setCoefficients(
        _ channels: Range<Int>,
        sample: Int,
        _ moments: ChannelMoments
    ) {
        self.values.load(channels, sample: sample)
        let block = ChannelBlock(
            count: channels.count,
            statistics: moments,
            samples: self.memory.samples,
            parameters: self.values.pointers,
            channelsPerGroup: self.computation.statistics?.channelsPerGroup ?? 1,
            kernels: self.wideKernels
        )
        self.computation.rule.fill(self.memory.transforms, for: block)
        self.coefficients.set(
            self.memory.transforms,
            count: channels.count,
            columnsPerChannel: self.computation.columnsPerChannel ?? 1,
            self.kernels
        )
    }

    /// Normalizes some channels of some samples, by coefficients that begin with those of the first channel.
    private mutating func normalize(_ channels: Range<Int>, samples: Range<Int>) {
        let layout = self.computation.layout
        if let columnsPerChannel = self.computation.columnsPerChannel {
            self.normalizeColumns(
                channels.lowerBound * columnsPerChannel..<channels.upperBound * columnsPerChannel,
                width: layout.channelCount * columnsPerChannel,
                rows: self.computation.rows(ofSamples: samples)
            )
            return
        }
        for sample in samples {
            let range = layout.range(ofSample: sample, channels: channels)
            if range.count <= self.chunkLength {
                self.normalizeSpans(range, firstSpan: 0, spanCount: channels.count, spanLength: layout.positionCount)
            } else {
                self.normalizeLongSpans(range, spanLength: layout.positionCount)
            }
        }
    }

    private var usableNarrowKernels: NarrowKernels<Scalar>? {
        self.coefficients.isInTwoSteps ? nil : self.narrowKernels
    }

    /// How many elements are normalized at once.
    private var chunkLength: Int {
        self.usableNarrowKernels == nil ? min(self.source.chunkLength, self.sink.chunkLength) : .max
    }

    /// Spans that do not fit into what source and sink take at once, piece by piece.
    private mutating func normalizeLongSpans(_ range: Range<Int>, spanLength: Int) {
        for chunk in Chunks(range, length: self.chunkLength) {
            var position = chunk.lowerBound
            while position < chunk.upperBound {
                let span = (position - range.lowerBound) / spanLength
                let end = min(range.lowerBound + (span + 1) * spanLength, chunk.upperBound)
                self.normalizeSpans(position..<end, firstSpan: span, spanCount: 1, spanLength: end - position)
                position = end
            }
        }
    }

    private mutating func normalizeSpans(_ range: Range<Int>, firstSpan: Int, spanCount: Int, spanLength: Int) {
        let (means, remainders) = (self.coefficients.means, self.coefficients.remainders)
        let (scales, shifts) = (self.coefficients.scales, self.coefficients.shifts)
        // What is frozen is read in one go, which the processor sees coming.
        let distance =
            self.computation.statistics == nil
            ? 0 : Tile.prefetchDistance(tileLength: range.count, byteCount: self.source.byteCount)
        if let narrowKernels = self.usableNarrowKernels {
            narrowKernels.normalizeSpans(
                self.source.address(of: range.lowerBound),
                self.sink.address(of: range.lowerBound),
                spanCount,
                spanLength,
                means + firstSpan,
                remainders + firstSpan,
                scales + firstSpan,
                shifts + firstSpan,
                distance
            )
            return
        }
        let x = self.source.load(range)
        let y = self.sink.destination(range)
        if self.coefficients.isInTwoSteps {
            let (factors, zeros) = (self.coefficients.factors + firstSpan, self.coefficients.zeros + firstSpan)
            let negativeZeros = self.coefficients.negativeZeros + firstSpan
            let (means, remainders) = (means + firstSpan, remainders + firstSpan)
            self.kernels.normalizeSpans(x, y, spanCount, spanLength, means, remainders, factors, negativeZeros, 0)
            let (scales, shifts) = (scales + firstSpan, shifts + firstSpan)
            self.kernels.normalizeSpans(y, y, spanCount, spanLength, zeros, zeros, scales, shifts, 0)
        } else {
            self.kernels.normalizeSpans(
                x,
                y,
                spanCount,
                spanLength,
                means + firstSpan,
                remainders + firstSpan,
                scales + firstSpan,
                shifts + firstSpan,
                distance
            )
        }
        if let minimums = self.coefficients.minimums {
            self.kernels.raiseSpans(y, spanCount, spanLength, minimums + firstSpan)
        }
        self.sink.commit(range)
    }

    private mutating func normalizeColumns(_ columns: Range<Int>, width: Int, rows: Range<Int>) {
        let repeats = ColumnPieces.repeats(columns: columns, width: width)
        self.coefficients.tile(columns.count, until: columns.count * repeats)
        let (means, remainders) = (self.coefficients.means, self.coefficients.remainders)
        let (scales, shifts) = (self.coefficients.scales, self.coefficients.shifts)
        for piece in ColumnPieces(rows: rows, columns: columns, width: width, chunkLength: self.chunkLength) {
            let (rows, columns, stride) = (piece.rowCount, piece.columnCount, piece.stride)
            if let narrowKernels = self.usableNarrowKernels {
                let x = self.source.address(of: piece.range.lowerBound)
                let y = self.sink.address(of: piece.range.lowerBound)
                narrowKernels.normalizeColumns(x, y, rows, columns, stride, means, remainders, scales, shifts)
                continue
            }
            let x = self.source.load(piece.range)
            let y = self.sink.destination(piece.range)
            if self.coefficients.isInTwoSteps {
                let (factors, zeros) = (self.coefficients.factors, self.coefficients.zeros)
                let negativeZeros = self.coefficients.negativeZeros
                self.kernels.normalizeColumns(x, y, rows, columns, stride, means, remainders, factors, negativeZeros)
                self.kernels.normalizeColumns(y, y, rows, columns, stride, zeros, zeros, scales, shifts)
            } else {
                self.kernels.normalizeColumns(x, y, rows, columns, stride, means, remainders, scales, shifts)
            }
            if let minimums = self.coefficients.minimums {
                self.kernels.raiseColumns(y, rows, columns, stride, minimums)
            }
            self.sink.commit(piece.range)
        }
    }

    /// Whole groups, as many as stay in the cache; as many as there is room for where the tiles of a sample have to be
    /// looked at twice, or where rows lie far apart anyway.
    private static func channelsPerTile(
        _ computation: ChannelComputation,
        _ channelsPerBlock: Int,
        _ chunkLength: Int
    ) -> Int {
        guard let statistics = computation.statistics else { return channelsPerBlock }
        if computation.isFolded {
            let channelCount = computation.channelsPerSample
            let length = min(Tile.length, chunkLength) / computation.layout.positionCount
            return max(1, min(length, channelsPerBlock) / channelCount) * channelCount
        }
        let groupSize = statistics.channelsPerGroup
        guard statistics.summary == .none, !computation.takesColumnStatistics else {
            return max(1, channelsPerBlock / groupSize) * groupSize
        }
        let length = min(Tile.length, chunkLength) / computation.layout.positionCount
        return max(1, min(length, channelsPerBlock) / groupSize) * groupSize
    }
}
