/// Some rows and columns of a matrix, and which neighbouring columns share their statistics.
struct ColumnMatrix {
    let rows: Range<Int>
    let columns: Range<Int>
    let width: Int
    let columnsPerGroup: Int

    var groupCount: Int { self.columns.count / self.columnsPerGroup }

    /// How many elements share their statistics.
    var groupLength: Int { self.rows.count * self.columnsPerGroup }
}

/// Takes statistics of groups of columns; memory for a block of columns.
struct ColumnStatistics<Scalar: ComputationScalar> {
    private let kernels: Kernels<Scalar>
    private let centers: Vector<Scalar>
    private let sums: Vector<Double>
    private let squares: Vector<Double>

    /// How many columns are looked at together at most.
    private static var blockLength: Int { ElementSource<Double>.convertedChunkLength }

    /// How many rows tell where the mean is, about.
    private static var sampleRowCount: Int { 8 }

    init(_ kernels: Kernels<Scalar>) throws(LayerError) {
        self.kernels = kernels
        self.centers = try Vector(count: Self.blockLength)
        self.sums = try Vector(count: Self.blockLength)
        self.squares = try Vector(count: Self.blockLength)
    }

    /// The statistics of each group of columns.
    func take(
        _ kind: ChannelStatistics.Kind,
        of matrix: ColumnMatrix,
        _ source: inout ElementSource<Scalar>
    ) -> [Moments] {
        let count = Double(matrix.groupLength)
        switch kind {
        case .moments:
            return self.moments(of: matrix, &source)
        case .meanSquare:
            let zeros = [Scalar](repeating: 0, count: matrix.groupCount)
            return self.centeredSums(of: matrix, about: zeros, &source).squares.map { Moments(spread: $0 / count) }
        case .meanMagnitude:
            let sums = self.combine(matrix, &source, self.kernels.addColumnMagnitudes) { $0 + $1 }
            return sums.map { Moments(spread: $0 / count) }
        case .largestMagnitude:
            let maxima = self.combine(matrix, &source, self.kernels.raiseToColumnMagnitudes) {
                $1 <= $0 || $0.isNaN ? $0 : $1
            }
            return maxima.map { Moments(spread: $0) }
        }
    }

    /// Mean and variance: the corrected two-pass algorithm, as for contiguous elements.
    private func moments(of matrix: ColumnMatrix, _ source: inout ElementSource<Scalar>) -> [Moments] {
        var centers = self.provisionalMeans(of: matrix, &source)
        var moments = self.moments(of: matrix, about: centers, &source)
        let unforgiven = moments.indices.filter { group in
            let better = Scalar(moments[group].mean + moments[group].remainder)
            let isForgiven = moments[group].forgives(center: Double(centers[group])) || better == centers[group]
            centers[group] = better
            return !isForgiven
        }
        guard !unforgiven.isEmpty else { return moments }
        let better = self.moments(of: matrix, about: centers, &source)
        // Only these: what the others hold must not depend on their neighbours.
        for group in unforgiven {
            moments[group] = better[group]
        }
        return moments
    }

    private func moments(
        of matrix: ColumnMatrix,
        about centers: [Scalar],
        _ source: inout ElementSource<Scalar>
    ) -> [Moments] {
        let sums = self.centeredSums(of: matrix, about: centers, &source)
        return centers.indices.map { group in
            Moments(
                center: Double(centers[group]),
                sum: sums.sums[group],
                squares: sums.squares[group],
                count: Double(matrix.groupLength)
            )
        }
    }

    /// The mean of each group in a few rows from all over the matrix.
    private func provisionalMeans(of matrix: ColumnMatrix, _ source: inout ElementSource<Scalar>) -> [Scalar] {
        let rowCount = min(matrix.rows.count, Self.sampleRowCount)
        let step = (matrix.rows.count - 1) / max(1, rowCount - 1)
        var sums = [Double](repeating: 0, count: matrix.groupCount)
        for block in Chunks(matrix.columns, length: Self.blockLength) {
            self.clear(block, matrix) { _ in 0 }
            for index in 0..<rowCount {
                let first = (matrix.rows.lowerBound + index * step) * matrix.width + block.lowerBound
                let x = source.load(first..<first + block.count)
                self.addCenteredSums(x, 1, block.count, matrix.width)
            }
            self.forEachRun(block, matrix) { run, group in sums[group] += self.sums.total(of: run) }
        }
        return sums.map { Scalar($0 / Double(rowCount * matrix.columnsPerGroup)) }
    }

    /// Σ(x − center) and Σ(x − center)² of each group.
    private func centeredSums(
        of matrix: ColumnMatrix,
        about centers: [Scalar],
        _ source: inout ElementSource<Scalar>
    ) -> (sums: [Double], squares: [Double]) {
        var sums = [Double](repeating: 0, count: matrix.groupCount)
        var squares = sums
        for block in Chunks(matrix.columns, length: Self.blockLength) {
            self.clear(block, matrix) { centers[$0] }
            for piece in self.pieces(block, matrix, source) {
                self.addCenteredSums(source.load(piece.range), piece.rowCount, piece.columnCount, piece.stride)
            }
            self.forEachRun(block, matrix) { run, group in
                sums[group] += self.sums.total(of: run)
                squares[group] += self.squares.total(of: run)
            }
        }
        return (sums, squares)
    }

    private func clear(_ block: Range<Int>, _ matrix: ColumnMatrix, center: (_ group: Int) -> Scalar) {
        self.forEachRun(block, matrix) { run, group in
            (self.centers.pointer + run.lowerBound).update(repeating: center(group), count: run.count)
            (self.sums.pointer + run.lowerBound).update(repeating: 0, count: run.count)
            (self.squares.pointer + run.lowerBound).update(repeating: 0, count: run.count)
        }
    }

    private func addCenteredSums(_ x: UnsafePointer<Scalar>, _ rows: Int, _ columns: Int, _ stride: Int) {
        let (centers, sums, squares) = (self.centers.pointer, self.sums.pointer, self.squares.pointer)
        self.kernels.addCenteredColumnSums(x, rows, columns, stride, centers, sums, squares)
    }

    /// What a kernel makes of each column, combined for each group.
    private func combine(
        _ matrix: ColumnMatrix,
        _ source: inout ElementSource<Scalar>,
        _ kernel: (UnsafePointer<Scalar>, Int, Int, Int, UnsafeMutablePointer<Double>) -> Void,
        _ body: (Double, Double) -> Double
    ) -> [Double] {
        var results = [Double](repeating: 0, count: matrix.groupCount)
        for block in Chunks(matrix.columns, length: Self.blockLength) {
            self.forEachRun(block, matrix) { run, _ in
                (self.sums.pointer + run.lowerBound).update(repeating: 0, count: run.count)
            }
            for piece in self.pieces(block, matrix, source) {
                kernel(source.load(piece.range), piece.rowCount, piece.columnCount, piece.stride, self.sums.pointer)
            }
            self.forEachRun(block, matrix) { run, group in
                for index in run {
                    results[group] = body(results[group], self.sums[index])
                }
            }
        }
        return results
    }

    private func pieces(
        _ block: Range<Int>,
        _ matrix: ColumnMatrix,
        _ source: ElementSource<Scalar>
    ) -> ColumnPieces {
        ColumnPieces(
            rows: matrix.rows,
            columns: block,
            width: matrix.width,
            chunkLength: source.chunkLength,
            isForSums: true
        )
    }

    /// Calls `body` with the columns of each group in a block, which come again where rows are narrow and several are
    /// taken for one.
    private func forEachRun(
        _ block: Range<Int>,
        _ matrix: ColumnMatrix,
        _ body: (_ columns: Range<Int>, _ group: Int) -> Void
    ) {
        let skipped = block.lowerBound - matrix.columns.lowerBound
        for copy in 0..<ColumnPieces.repeats(columns: block, width: matrix.width) {
            var group = skipped / matrix.columnsPerGroup
            var rest = matrix.columnsPerGroup - skipped % matrix.columnsPerGroup
            let end = (copy + 1) * block.count
            var index = copy * block.count
            while index < end {
                let run = index..<min(index + rest, end)
                body(run, group)
                (index, rest) = (run.upperBound, matrix.columnsPerGroup)
                group += 1
            }
        }
    }
}

extension Vector<Double> {
    fileprivate func total(of range: Range<Int>) -> Double {
        var total = 0.0
        for index in range {
            total += self.pointer[index]
        }
        return total
    }
}
