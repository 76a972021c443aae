/// Inputs whose channels are contiguous, or short: matrices whose columns belong to channels.
extension Execution {
    /// Normalizes some columns of some rows, by coefficients that begin with those of the first of the columns.
    mutating func normalizeColumns(
        _ columns: Range<Int>,
        width: Int,
        rows: Range<Int>,
        _ coefficients: Coefficients<Scalar>
    ) {
        let repeats = ColumnPieces.repeats(columns: columns, width: width)
        coefficients.tile(columns.count, until: columns.count * repeats)
        for piece in ColumnPieces(rows: rows, columns: columns, width: width, chunkLength: self.chunkLength) {
            self.kernels.normalizeColumns(
                self.source.load(piece.range),
                self.sink.destination(piece.range),
                piece.rowCount,
                piece.columnCount,
                piece.stride,
                coefficients.means.pointer,
                coefficients.remainders.pointer,
                coefficients.scales.pointer,
                coefficients.shifts.pointer
            )
            self.sink.commit(piece.range)
        }
    }

    /// Mean and variance of each group of columns.
    mutating func moments(
        of matrix: ColumnMatrix,
        _ sums: ColumnSums<Scalar>,
        _ wideSums: ColumnSums<Double>
    ) -> [Moments] {
        let moments = sums.moments(of: matrix, &self.source, self.kernels)
        guard Scalar.self != Double.self, !moments.allSatisfy(\.isReliableInFloat) else { return moments }
        return wideSums.moments(of: matrix, &self.wideSource, self.kernelSet.double)
    }
}
