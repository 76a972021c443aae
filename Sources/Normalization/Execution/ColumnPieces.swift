/// Some rows and columns of a matrix, cut into pieces that source and sink take at once.
struct ColumnPieces: Sequence, IteratorProtocol {
    /// Rows whose elements begin `stride` apart.
    struct Piece {
        /// From the first to the last of the elements, and what stands between the rows.
        let range: Range<Int>
        let rowCount: Int
        let columnCount: Int
        let stride: Int
    }

    private let width: Int
    private let columns: Range<Int>
    private let repeats: Int
    private var rows: Range<Int>
    private let rowsPerPiece: Int

    /// - Parameter chunkLength: what source and sink take at once; `.max` where neither converts, and elements
    ///   between the rows do no harm.
    /// - Parameter isForSums: whether it matters which rows are taken together: those that might as well be cut for
    ///   several threads are then taken one by one, as if they were.
    init(rows: Range<Int>, columns: Range<Int>, width: Int, chunkLength: Int, isForSums: Bool = false) {
        self.width = width
        self.columns = columns
        self.rows = rows
        self.repeats = Self.repeats(columns: columns, width: width)
        if chunkLength == .max {
            self.rowsPerPiece = .max
        } else {
            let isCut = columns.count < width || (isForSums && width >= ChannelGrid.cutWidth)
            self.rowsPerPiece = isCut ? 1 : Swift.max(self.repeats, chunkLength / width)
        }
    }

    /// How many narrow rows are taken for a wide one, so that they fill vectors: at least 64 columns, and a multiple
    /// of 16.
    static func repeats(columns: Range<Int>, width: Int) -> Int {
        guard columns.count == width, width < 64 else { return 1 }
        let filling = 16 >> Swift.min(width.trailingZeroBitCount, 4)
        return Swift.max(filling, (64 / width) / filling * filling)
    }

    mutating func next() -> Piece? {
        guard !self.rows.isEmpty else { return nil }
        var rowCount = Swift.min(self.rowsPerPiece, self.rows.count)
        let repeats = rowCount < self.repeats ? 1 : self.repeats
        rowCount -= rowCount % repeats
        let first = self.rows.lowerBound * self.width + self.columns.lowerBound
        self.rows = self.rows.lowerBound + rowCount..<self.rows.upperBound
        return Piece(
            range: first..<first + (rowCount - 1) * self.width + self.columns.count,
            rowCount: rowCount / repeats,
            columnCount: self.columns.count * repeats,
            stride: self.width * repeats
        )
    }
}
