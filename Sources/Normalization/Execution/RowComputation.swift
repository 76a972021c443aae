import Tensors

/// Normalizes contiguous rows by statistics of their own; every element of a row has its own weight and bias.
struct RowComputation: Sendable {
    let layout: RowLayout
    let weight: Parameter?
    let bias: Parameter?

    init(_ layout: RowLayout, weight: Parameter?, bias: Parameter? = nil) {
        self.layout = layout
        self.weight = weight
        self.bias = bias
    }

    func run<Scalar>(_ job: Job<Scalar>) throws(LayerError) {
        let parameters = try RowParameters(self, job.kernels)
        let grid = RowGrid(self.layout, chunkLength: ElementSource<Scalar>.convertedChunkLength)
        try job.distribute(unitCount: grid.unitCount) { () throws(LayerError) in
            try RowWorker(self.layout, parameters, grid, job)
        }
    }
}

/// An input seen as rows that are normalized on their own.
struct RowLayout: Sendable {
    let rowCount: Int
    let rowLength: Int

    /// Whether the mean is subtracted.
    let isCentered: Bool

    /// None stands for the machine epsilon of the input's type.
    let epsilon: Epsilon?

    /// The elements of some rows, counted in the whole tensor.
    func range(ofRows rows: Range<Int>) -> Range<Int> {
        rows.lowerBound * self.rowLength..<rows.upperBound * self.rowLength
    }
}

/// The units of work on rows: several blocks of rows that are taken together.
private struct RowGrid: Sendable {
    private let rowCount: Int
    private let rowsPerUnit: Int

    /// As many rows as fit into the first-level cache, and into what a source converts at once.
    let rowsPerBlock: Int

    init(_ layout: RowLayout, chunkLength: Int) {
        self.rowCount = layout.rowCount
        self.rowsPerBlock = min(max(1, chunkLength / layout.rowLength), layout.rowCount)
        self.rowsPerUnit = max(1, (1 << 16) / (layout.rowLength * self.rowsPerBlock)) * self.rowsPerBlock
    }

    var unitCount: Int { (self.rowCount - 1) / self.rowsPerUnit + 1 }

    subscript(unit: Int) -> Range<Int> {
        unit * self.rowsPerUnit..<min((unit + 1) * self.rowsPerUnit, self.rowCount)
    }
}

/// Weight and bias in the precision of the computation.
private final class RowParameters<Scalar: ComputationScalar> {
    let weight: RowParameter<Scalar>?
    let bias: RowParameter<Scalar>?

    init(_ computation: RowComputation, _ kernels: Kernels<Scalar>) throws(LayerError) {
        let length = computation.layout.rowLength
        let hasAffine = computation.weight != nil || computation.bias != nil
        self.weight = hasAffine ? try RowParameter(computation.weight, length, kernels) : nil
        self.bias = try computation.bias.map { parameter throws(LayerError) in
            try RowParameter(parameter, length, kernels)
        }
    }
}

/// One thread's share in normalizing rows.
private struct RowWorker<Scalar: ComputationScalar>: UnitWorker {
    private let layout: RowLayout
    private let parameters: RowParameters<Scalar>
    private let grid: RowGrid
    private let epsilon: Epsilon
    private let kernels: Kernels<Scalar>
    private let wideKernels: Kernels<Double>

    /// Kernels that leave out the detour over source and sink, if there are any.
    private let narrowKernels: NarrowKernels<Scalar>?
    private var source: ElementSource<Scalar>

    /// The elements in FP64, for statistics that FP32 cannot hold.
    private var wideSource: ElementSource<Double>
    private let sink: ElementSink<Scalar>

    /// One element for each row of a block.
    private let moments: MomentVector
    private var coefficients: Coefficients<Scalar>

    init(
        _ layout: RowLayout,
        _ parameters: RowParameters<Scalar>,
        _ grid: RowGrid,
        _ job: Job<Scalar>
    ) throws(LayerError) {
        self.layout = layout
        self.parameters = parameters
        self.grid = grid
        self.epsilon = layout.epsilon ?? .ofMachine(for: job.input.dataType)
        self.kernels = job.kernels
        self.wideKernels = job.kernelSet.double
        self.narrowKernels = job.narrowKernels
        self.source = try job.makeSource()
        self.wideSource = try job.makeWideSource()
        self.sink = try job.makeSink()
        let count = grid.rowsPerBlock
        self.moments = try MomentVector(count: count)
        self.coefficients = try Coefficients(count: count, hasMinimum: false)
        self.coefficients.shifts.update(repeating: 0, count: count)
    }

    mutating func perform(_ unit: Int) {
        for rows in Chunks(self.grid[unit], length: self.grid.rowsPerBlock) {
            self.takeMoments(of: rows)
            self.setCoefficients(count: rows.count)
            self.normalize(rows)
        }
    }

    private mutating func setCoefficients(count: Int) {
        let (means, remainders) = (self.moments.means, self.moments.remainders)
        let spreads = self.moments.spreads
        self.wideKernels.inverseDeviations(
            spreads,
            spreads,
            count,
            self.epsilon.varianceTerm,
            self.epsilon.deviationTerm
        )
        self.coefficients.setScales(spreads, count: count, self.kernels)
        self.kernels.splitMeans(
            means,
            remainders,
            count,
            self.coefficients.means,
            self.coefficients.remainders
        )
    }

    private mutating func takeMoments(of rows: Range<Int>) {
        let kind: ChannelStatistics.Kind = self.layout.isCentered ? .moments : .meanSquare
        let block = self.layout.range(ofRows: rows)
        if block.count <= self.source.chunkLength {
            let x = self.source.load(block)
            let spreads = self.moments.spreads
            if self.layout.isCentered {
                let (means, remainders) = (self.moments.means, self.moments.remainders)
                self.kernels.rowMoments(x, rows.count, self.layout.rowLength, means, remainders, spreads)
            } else {
                self.kernels.rowMeanSquares(x, rows.count, self.layout.rowLength, spreads)
            }
        } else {
            // A single row that is longer than what the source converts at once.
            self.moments.set(0, self.source.moments(of: CollectionOfOne(block), kind, self.kernels))
        }
        guard Scalar.self != Double.self else { return }
        for index in 0..<rows.count
        where !Moments.isReliableInFloat(self.moments.spreads[index], mean: self.moments.means[index]) {
            let row = self.layout.range(ofRows: rows.lowerBound + index..<rows.lowerBound + index + 1)
            // Zeros are what FP32 holds best.
            let zeros = self.moments.spreads[index] == 0
            if zeros, self.source.moments(of: CollectionOfOne(row), .largestMagnitude, self.kernels).spread == 0 {
                continue
            }
            self.moments.set(index, self.wideSource.moments(of: CollectionOfOne(row), kind, self.wideKernels))
        }
    }

    private mutating func normalize(_ rows: Range<Int>) {
        let block = self.layout.range(ofRows: rows)
        if let narrowKernels, !self.coefficients.isInTwoSteps {
            self.normalize(block, rowCount: rows.count, narrowKernels)
            return
        }
        let chunkLength = min(self.source.chunkLength, self.sink.chunkLength)
        if block.count <= chunkLength {
            self.normalize(block, rowCount: rows.count, rowLength: self.layout.rowLength, from: 0)
            return
        }
        for chunk in Chunks(block, length: chunkLength) {
            self.normalize(chunk, rowCount: 1, rowLength: chunk.count, from: chunk.lowerBound - block.lowerBound)
        }
    }

    /// Rows of a block, or a piece of one row that begins at its element `first`.
    private mutating func normalize(_ range: Range<Int>, rowCount: Int, rowLength: Int, from first: Int) {
        var x = self.source.load(range)
        let y = self.sink.destination(range)
        let distance = Tile.prefetchDistance(tileLength: range.count, byteCount: self.source.byteCount)
        let (scales, shifts) = (self.coefficients.scales, self.coefficients.shifts)
        var (means, remainders) = (self.coefficients.means, self.coefficients.remainders)
        if self.coefficients.isInTwoSteps {
            let (factors, negativeZeros) = (self.coefficients.factors, self.coefficients.negativeZeros)
            self.kernels.normalizeSpans(x, y, rowCount, rowLength, means, remainders, factors, negativeZeros, 0)
            x = UnsafePointer(y)
            (means, remainders) = (self.coefficients.zeros, self.coefficients.zeros)
        }
        if let weight = self.parameters.weight {
            let bias = self.parameters.bias.map { $0.pointer + first }
            let weight = weight.pointer + first
            self.kernels.normalizeRows(x, y, rowCount, rowLength, means, remainders, scales, weight, bias, distance)
        } else {
            self.kernels.normalizeSpans(x, y, rowCount, rowLength, means, remainders, scales, shifts, distance)
        }
        self.sink.commit(range)
    }

    private func normalize(_ block: Range<Int>, rowCount: Int, _ kernels: NarrowKernels<Scalar>) {
        let x = self.source.address(of: block.lowerBound)
        let y = self.sink.address(of: block.lowerBound)
        let length = self.layout.rowLength
        let distance = Tile.prefetchDistance(tileLength: block.count, byteCount: self.source.byteCount)
        let (means, remainders) = (self.coefficients.means, self.coefficients.remainders)
        let (scales, shifts) = (self.coefficients.scales, self.coefficients.shifts)
        if let weight = self.parameters.weight?.pointer {
            let bias = self.parameters.bias?.pointer
            kernels.normalizeRows(x, y, rowCount, length, means, remainders, scales, weight, bias, distance)
        } else {
            kernels.normalizeSpans(x, y, rowCount, length, means, remainders, scales, shifts, distance)
        }
    }
}
