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
        let count = matrix.rows.count * matrix.columnsPerGroup
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
            centers[group] = Scalar(Double(centers[group]) + sums[group] / Double(count))
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
            Moments(center: Double(centers[group]), sum: sums[group], squares: squares[group], count: count)
        }
    }

    private func pieces(
        _ block: Range<Int>,
        _ matrix: ColumnMatrix,
        _ source: ElementSource<Scalar>
    ) -> ColumnPieces {
        ColumnPieces(rows: matrix.rows, columns: block, width: matrix.width, chunkLength: source.chunkLength)
    }

    /// The number of sums that a block takes: narrow rows are taken several at once.
    private func length(_ block: Range<Int>, _ matrix: ColumnMatrix) -> Int {
        block.count * ColumnPieces.repeats(columns: block, width: matrix.width)
    }

    private func prepare(_ block: Range<Int>, _ matrix: ColumnMatrix, _ centers: [Scalar]) {
        for index in 0..<self.length(block, matrix) {
            self.centers[index] = centers[self.group(index, block, matrix)]
            self.sums[index] = 0
            self.squares[index] = 0
        }
    }

    private func add(_ columns: Vector<Double>, _ block: Range<Int>, _ matrix: ColumnMatrix, to groups: inout [Double])
    {
        for index in 0..<self.length(block, matrix) {
            groups[self.group(index, block, matrix)] += columns[index]
        }
    }

    private func group(_ index: Int, _ block: Range<Int>, _ matrix: ColumnMatrix) -> Int {
        (block.lowerBound - matrix.columns.lowerBound + index % block.count) / matrix.columnsPerGroup
    }
}
