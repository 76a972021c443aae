/// A weight (outer, rows, inner) seen as a matrix whose columns are the outer and inner indices together.
///
/// The memory is one or several row-major matrices, which the products take as they stand.
struct WeightMatrix: Sendable {
    let rowCount: Int
    let columnCount: Int

    /// The matrices in memory: how many there are, one after the other, and the size of each.
    fileprivate let blockCount: Int
    fileprivate let height: Int
    fileprivate let width: Int

    /// Whether the one matrix in memory is the transpose.
    private let isTransposed: Bool

    init(outerCount: Int, rowCount: Int, innerCount: Int) {
        self.rowCount = rowCount
        self.columnCount = outerCount * innerCount
        self.isTransposed = innerCount == 1
        self.blockCount = self.isTransposed ? 1 : outerCount
        self.height = self.isTransposed ? outerCount : rowCount
        self.width = self.isTransposed ? rowCount : innerCount
    }

    /// Adds W·v to `sums`, of which there is one per row.
    func addProduct<Scalar>(
        with vector: Vector<Double>,
        to sums: Vector<Double>,
        _ job: Job<Scalar>
    ) throws(LayerError) {
        try self.add(vector, sums, job, alongColumns: self.isTransposed)
    }

    /// Adds Wᵀ·u to `sums`, of which there is one per column.
    func addTransposedProduct<Scalar>(
        with vector: Vector<Double>,
        to sums: Vector<Double>,
        _ job: Job<Scalar>
    ) throws(LayerError) {
        try self.add(vector, sums, job, alongColumns: !self.isTransposed)
    }

    private func add<Scalar>(
        _ vector: Vector<Double>,
        _ sums: Vector<Double>,
        _ job: Job<Scalar>,
        alongColumns: Bool
    ) throws(LayerError) {
        if alongColumns {
            try job.distribute(unitCount: self.columnUnitCount) { () throws(LayerError) in
                try ColumnProductWorker(self, vector, sums, job)
            }
        } else {
            try job.distribute(unitCount: (self.height - 1) / self.rowsPerUnit + 1) { () throws(LayerError) in
                try RowProductWorker(self, vector, sums, job)
            }
        }
    }
}

/// How the work is cut: by what it is, never by the number of threads, so that sums are always the same.
extension WeightMatrix {
    /// How many columns of a block are taken at a time: their FP64 vector fits into the first-level cache.
    fileprivate static let chunkLength = 2048

    /// How many sums are added up before they move on to the total, so that roundings do not grow with the matrix.
    fileprivate static let partialLength = 1024

    private static let unitLength = 1 << 16

    fileprivate var rowsPerUnit: Int { max(1, min(self.height, Self.unitLength / (self.blockCount * self.width))) }

    fileprivate var chunksPerBlock: Int { (self.width - 1) / Self.chunkLength + 1 }

    fileprivate var blocksPerUnit: Int {
        self.chunksPerBlock > 1 ? 1 : max(1, Self.unitLength / (self.height * self.width))
    }

    fileprivate var columnUnitCount: Int {
        ((self.blockCount - 1) / self.blocksPerUnit + 1) * self.chunksPerBlock
    }

    /// Calls `body` with pieces of some rows and columns of a block that a source loads at once: the elements from the
    /// first to the last, the rows.
    fileprivate func forEachPiece(
        block: Int,
        rows: Range<Int>,
        columns: Range<Int>,
        converts: Bool,
        _ body: (_ elements: Range<Int>, _ rows: Range<Int>) -> Void
    ) {
        let rowsPerPiece =
            converts ? (columns.count == self.width ? max(1, Self.chunkLength / self.width) : 1) : rows.count
        for piece in Chunks(rows, length: rowsPerPiece) {
            let first = (block * self.height + piece.lowerBound) * self.width + columns.lowerBound
            body(first..<first + (piece.count - 1) * self.width + columns.count, piece)
        }
    }
}

/// One thread of a product whose sums run along the rows in memory.
private struct RowProductWorker<Scalar: ComputationScalar>: UnitWorker {
    private let matrix: WeightMatrix
    private let vector: Vector<Double>
    private let sums: Vector<Double>
    private let kernels: Kernels<Scalar>
    private var source: ElementSource<Scalar>
    private let partials: Vector<Double>

    init(
        _ matrix: WeightMatrix,
        _ vector: Vector<Double>,
        _ sums: Vector<Double>,
        _ job: Job<Scalar>
    ) throws(LayerError) {
        self.matrix = matrix
        self.vector = vector
        self.sums = sums
        self.kernels = job.kernels
        self.source = try job.makeSource()
        self.partials = try Vector(repeating: 0, count: matrix.rowsPerUnit)
    }

    mutating func perform(_ unit: Int) {
        let first = unit * self.matrix.rowsPerUnit
        let rows = first..<min(first + self.matrix.rowsPerUnit, self.matrix.height)
        var additionCount = 0
        for block in 0..<self.matrix.blockCount {
            for columns in Chunks(0..<self.matrix.width, length: WeightMatrix.chunkLength) {
                self.add(block, rows, columns)
                additionCount += 1
                if additionCount % WeightMatrix.partialLength == 0 {
                    self.partials.move(rows.count, to: self.sums, at: first)
                }
            }
        }
        self.partials.move(rows.count, to: self.sums, at: first)
    }

    private mutating func add(_ block: Int, _ rows: Range<Int>, _ columns: Range<Int>) {
        let (kernels, width) = (self.kernels, self.matrix.width)
        let vector = self.vector.pointer + block * width + columns.lowerBound
        let partials = self.partials.pointer
        self.matrix.forEachPiece(
            block: block,
            rows: rows,
            columns: columns,
            converts: self.source.chunkLength != .max
        ) { elements, piece in
            kernels.addProduct(
                self.source.load(elements),
                piece.count,
                columns.count,
                width,
                vector,
                partials + piece.lowerBound - rows.lowerBound
            )
        }
    }
}

/// One thread of a product whose sums run along the columns in memory.
private struct ColumnProductWorker<Scalar: ComputationScalar>: UnitWorker {
    private let matrix: WeightMatrix
    private let vector: Vector<Double>
    private let sums: Vector<Double>
    private let kernels: Kernels<Scalar>
    private var source: ElementSource<Scalar>
    private let partials: Vector<Double>

    init(
        _ matrix: WeightMatrix,
        _ vector: Vector<Double>,
        _ sums: Vector<Double>,
        _ job: Job<Scalar>
    ) throws(LayerError) {
        self.matrix = matrix
        self.vector = vector
        self.sums = sums
        self.kernels = job.kernels
        self.source = try job.makeSource()
        self.partials = try Vector(repeating: 0, count: min(matrix.width, WeightMatrix.chunkLength))
    }

    mutating func perform(_ unit: Int) {
        let (group, chunk) = unit.quotientAndRemainder(dividingBy: self.matrix.chunksPerBlock)
        let first = chunk * WeightMatrix.chunkLength
        let columns = first..<min(first + WeightMatrix.chunkLength, self.matrix.width)
        let firstBlock = group * self.matrix.blocksPerUnit
        for block in firstBlock..<min(firstBlock + self.matrix.blocksPerUnit, self.matrix.blockCount) {
            for rows in Chunks(0..<self.matrix.height, length: WeightMatrix.partialLength) {
                self.add(block, rows, columns)
                self.partials.move(columns.count, to: self.sums, at: block * self.matrix.width + first)
            }
        }
    }

    private mutating func add(_ block: Int, _ rows: Range<Int>, _ columns: Range<Int>) {
        let (kernels, width) = (self.kernels, self.matrix.width)
        let (vector, partials) = (self.vector.pointer, self.partials.pointer)
        self.matrix.forEachPiece(
            block: block,
            rows: rows,
            columns: columns,
            converts: self.source.chunkLength != .max
        ) { elements, piece in
            kernels.addTransposedProduct(
                self.source.load(elements),
                piece.count,
                columns.count,
                width,
                vector + piece.lowerBound,
                partials
            )
        }
    }
}

extension Vector<Double> {
    /// Adds the first numbers to those of another vector, and leaves zeros.
    fileprivate func move(_ count: Int, to sums: Self, at offset: Int) {
        for index in 0..<count {
            sums[offset + index] += self[index]
            self[index] = 0
        }
    }
}
