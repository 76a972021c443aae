/// Some rows and columns of a matrix, and which neighbouring columns share their statistics.
struct ColumnMatrix {
    let rows: Range<Int>
    let columns: Range<Int>
    let width: Int
    let columnsPerGroup: Int

    var groupCount: Int { self.columns.count / self.columnsPerGroup }
}

/// Memory for the sums of a block of columns.
struct ColumnSums<Scalar: ComputationScalar> {
    private let centers: Vector<Scalar>
    private let sums: Vector<Double>
    private let squares: Vector<Double>

    init() throws(LayerError) {
        self.centers = try Vector(count: Coefficients<Scalar>.blockLength)
        self.sums = try Vector(count: Coefficients<Scalar>.blockLength)
        self.squares = try Vector(count: Coefficients<Scalar>.blockLength)
    }

    /// Mean and variance of each group of columns: the corrected two-pass algorithm, as for contiguous elements.
    func moments(
        of matrix: ColumnMatrix,
        _ source: inout ElementSource<Scalar>,
        _ kernels: Kernels<Scalar>
    ) -> [Moments] {
        let inverseCount = 1 / Double(matrix.rows.count * matrix.columnsPerGroup)
        // Differences from the first element are small where the spread is, and zero where there is none.
        var centers = (0..<matrix.groupCount).map { group in
            let first =
                matrix.rows.lowerBound * matrix.width + matrix.columns.lowerBound + group * matrix.columnsPerGroup
            return source.load(first..<first + 1)[0]
        }
        var sums = [Double](repeating: 0, count: matrix.groupCount)
        for block in Chunks(matrix.columns, length: Coefficients<Scalar>.blockLength) {
            self.prepare(block, matrix, centers)
            for piece in self.pieces(block, matrix, source) {
                kernels.addColumnDifferences(
                    source.load(piece.range),
                    piece.rowCount,
                    piece.columnCount,
                    piece.stride,
                    self.centers.pointer,
                    self.sums.pointer
                )
            }
            self.add(self.sums, block, matrix, to: &sums)
        }
        for group in centers.indices {
            centers[group] = Scalar(Double(centers[group]) + sums[group] * inverseCount)
        }
        sums = [Double](repeating: 0, count: matrix.groupCount)
        var squares = sums
        for block in Chunks(matrix.columns, length: Coefficients<Scalar>.blockLength) {
            self.prepare(block, matrix, centers)
            for piece in self.pieces(block, matrix, source) {
                kernels.addCenteredColumnSums(
                    source.load(piece.range),
                    piece.rowCount,
                    piece.columnCount,
                    piece.stride,
                    self.centers.pointer,
                    self.sums.pointer,
                    self.squares.pointer
                )
            }
            self.add(self.sums, block, matrix, to: &sums)
            self.add(self.squares, block, matrix, to: &squares)
        }
        return centers.indices.map { group in
            Moments(
                center: Double(centers[group]),
                sum: sums[group],
                squares: squares[group],
                inverseCount: inverseCount
            )
        }
    }

    private func pieces(
        _ block: Range<Int>,
        _ matrix: ColumnMatrix,
        _ source: ElementSource<Scalar>
    ) -> ColumnPieces {
        ColumnPieces(rows: matrix.rows, columns: block, width: matrix.width, chunkLength: source.chunkLength)
    }

    private func prepare(_ block: Range<Int>, _ matrix: ColumnMatrix, _ centers: [Scalar]) {
        self.forEachColumn(block, matrix) { index, group in
            self.centers[index] = centers[group]
            self.sums[index] = 0
            self.squares[index] = 0
        }
    }

    private func add(_ columns: Vector<Double>, _ block: Range<Int>, _ matrix: ColumnMatrix, to groups: inout [Double])
    {
        self.forEachColumn(block, matrix) { index, group in
            groups[group] += columns[index]
        }
    }

    /// Calls `body` with each of the sums that a block takes, which are several a column where rows are narrow, and
    /// the group that it belongs to.
    private func forEachColumn(
        _ block: Range<Int>,
        _ matrix: ColumnMatrix,
        _ body: (_ index: Int, _ group: Int) -> Void
    ) {
        let skipped = block.lowerBound - matrix.columns.lowerBound
        for copy in 0..<ColumnPieces.repeats(columns: block, width: matrix.width) {
            // Counted, not divided: this runs once per column and sample.
            var group = skipped / matrix.columnsPerGroup
            var rest = matrix.columnsPerGroup - skipped % matrix.columnsPerGroup
            for index in copy * block.count..<(copy + 1) * block.count {
                body(index, group)
                rest -= 1
                if rest == 0 {
                    group += 1
                    rest = matrix.columnsPerGroup
                }
            }
        }
    }
}
