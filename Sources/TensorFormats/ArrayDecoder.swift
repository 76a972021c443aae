/// Decodes the (nested) array of one tensor's elements, row by row, straight into the tensor's memory.
struct ArrayDecoder<Element: TextElement> {
    private var cursor: ElementCursor

    /// The length of the arrays on each level; nil until the first of them has ended.
    private(set) var dimensions: [Int?]

    /// How many elements of the array on each level have been read: the path to the current value.
    private(set) var indices: [Int]

    private let elements: UnsafeMutableBufferPointer<Element>
    private(set) var elementCount = 0

    /// Reads `bytes`, which begin with an opening bracket and end with the bracket that closes it, into `elements`.
    init(_ bytes: UnsafeRawBufferPointer, dimensions: [Int?], into elements: UnsafeMutableBufferPointer<Element>) {
        precondition(bytes.count >= 2 && bytes.last == ASCII.closeBracket, "the array ends with its bracket")
        self.cursor = ElementCursor(bytes)
        self.dimensions = dimensions
        self.indices = Array(repeating: 0, count: dimensions.count)
        self.elements = elements
    }

    /// Reads one array of numbers that need only be as many as there is room for.
    mutating func decodeFlat() throws(ArrayFault) {
        self.cursor.next += 1
        let count = try self.decodeRow(level: 0, limit: self.elements.count)
        guard let count, count == self.elements.count else { throw self.fault(.count, level: 0) }
    }

    /// Reads the array on `level`, 0 being the outermost, and all within it.
    mutating func decodeNested(level: Int = 0) throws(ArrayFault) {
        let start = self.cursor.position
        self.cursor.next += 1
        var count: Int? = 0
        if level == self.dimensions.count - 1 {
            let room = self.elements.count - self.elementCount
            count = try self.decodeRow(level: level, limit: min(self.dimensions[level] ?? room, room))
        } else {
            count = try self.decodeArrays(level: level)
        }
        if let expected = self.dimensions[level], count != expected {
            throw ArrayFault(reason: .ragged(expected: expected, found: count), level: level, position: start)
        }
        self.dimensions[level] = count
    }

    /// Reads the arrays within the array on `level` and the bracket after them; nil where there are too many.
    private mutating func decodeArrays(level: Int) throws(ArrayFault) -> Int? {
        var count = 0
        self.cursor.skipSpace()
        if self.cursor.next.pointee == ASCII.closeBracket {
            self.cursor.next += 1
            return 0
        }
        while true {
            self.indices[level] = count
            if let limit = self.dimensions[level], count == limit {
                return nil
            }
            self.cursor.skipSpace()
            guard self.cursor.next.pointee == ASCII.openBracket else {
                throw self.fault(.numberForArray, level: level + 1)
            }
            try self.decodeNested(level: level + 1)
            count += 1
            self.cursor.skipSpace()
            let separator = self.cursor.next.pointee
            guard separator == ASCII.comma || separator == ASCII.closeBracket else {
                throw self.fault(.separator, level: level)
            }
            self.cursor.next += 1
            if separator == ASCII.closeBracket {
                return count
            }
        }
    }

    /// Reads at most `limit` numbers and the bracket after them; nil where there are more.
    private mutating func decodeRow(level: Int, limit: Int) throws(ArrayFault) -> Int? {
        var cursor = self.cursor
        var count = 0
        defer { self.cursor = cursor }
        cursor.skipSpace()
        if cursor.next.pointee == ASCII.closeBracket {
            cursor.next += 1
            return 0
        }
        guard let row = self.elements.baseAddress.map({ $0 + self.elementCount }) else { return nil }
        while count < limit {
            let start = cursor.next
            do throws(ElementFault) {
                row[count] = try Element.read(&cursor)
            } catch {
                self.indices[level] = count
                cursor.next = start
                throw ArrayFault(reason: .element(error), level: level + 1, position: cursor.position)
            }
            count += 1
            cursor.skipSpace()
            let separator = cursor.next.pointee
            if separator == ASCII.comma {
                cursor.next += 1
                cursor.skipSpace()
            } else if separator == ASCII.closeBracket {
                cursor.next += 1
                self.elementCount += count
                return count
            } else {
                throw ArrayFault(reason: .separator, level: level, position: cursor.position)
            }
        }
        return nil
    }

    private func fault(_ reason: ArrayFault.Reason, level: Int) -> ArrayFault {
        ArrayFault(reason: reason, level: level, position: self.cursor.position)
    }
}
