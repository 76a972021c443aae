/// Reads the dictionary in the header of an `.npy` file: so much of Python's literals as such a dictionary is made of,
/// without escapes, prefixes and comments, which numpy does not write.
struct NPYHeaderParser {
    /// The dictionary's values.
    struct Array {
        let descr: String
        let isFortranOrder: Bool
        let dimensions: [Int]
    }

    private let file: UnsafeRawBufferPointer
    private let end: Int
    private let allowsLongIntegers: Bool
    private var position: Int

    /// Begins to read the dictionary that takes up `range` of the file.
    init(_ file: UnsafeRawBufferPointer, in range: Range<Int>, allowsLongIntegers: Bool) {
        self.file = file
        self.position = range.lowerBound
        self.end = range.upperBound
        self.allowsLongIntegers = allowsLongIntegers
    }

    /// Reads the dictionary and the white space after it.
    mutating func readArray() throws(TensorFormatError) -> Array {
        var descr: String?
        var isFortranOrder: Bool?
        var dimensions: [Int]?
        try self.expect("{", "a dictionary")
        while !self.skip("}") {
            self.skipSpace()
            let start = self.position
            let key = try self.readString("a key in quotes")
            try self.expect(":", "':'")
            let isNew: Bool
            switch key {
            case "descr":
                isNew = descr == nil
                descr = try self.readDescr()
            case "fortran_order":
                isNew = isFortranOrder == nil
                isFortranOrder = try self.readBoolean()
            case "shape":
                isNew = dimensions == nil
                dimensions = try self.readTuple()
            default:
                throw .npy(.unknownKey(key, offset: start))
            }
            guard isNew else { throw .npy(.duplicateKey(key, offset: start)) }
            guard self.skip(",") else {
                try self.expect("}", "',' or '}'")
                break
            }
        }
        self.skipSpace()
        guard self.position == self.end else { throw self.unexpected("nothing but white space") }
        guard let descr else { throw .npy(.missingKey("descr")) }
        guard let isFortranOrder else { throw .npy(.missingKey("fortran_order")) }
        guard let dimensions else { throw .npy(.missingKey("shape")) }
        return Array(descr: descr, isFortranOrder: isFortranOrder, dimensions: dimensions)
    }

    private mutating func readDescr() throws(TensorFormatError) -> String {
        // A list of fields, or a type with a shape of its own.
        guard self.peek() != UInt8(ascii: "["), self.peek() != UInt8(ascii: "(") else {
            throw .npy(.structuredDescr(offset: self.position))
        }
        return try self.readString("a string")
    }

    /// Reads a string without escapes.
    private mutating func readString(_ expected: String) throws(TensorFormatError) -> String {
        guard let quote = self.peek(), quote == UInt8(ascii: "'") || quote == ASCII.quote else {
            throw self.unexpected(expected)
        }
        let start = self.position + 1
        self.position = start
        while self.position < self.end, self.file[self.position] != quote {
            guard 0x20..<0x7f ~= self.file[self.position], self.file[self.position] != ASCII.backslash else {
                throw self.unexpected("a printable character of ASCII")
            }
            self.position += 1
        }
        guard self.position < self.end else { throw self.unexpected("a closing quotation mark") }
        self.position += 1
        return String(decoding: self.file[start..<self.position - 1], as: UTF8.self)
    }

    private mutating func readBoolean() throws(TensorFormatError) -> Bool {
        if self.skip("True") {
            return true
        }
        guard self.skip("False") else { throw self.unexpected("True or False") }
        return false
    }

    /// Reads a tuple of integers. One in parentheses without a comma is an integer, not a tuple.
    private mutating func readTuple() throws(TensorFormatError) -> [Int] {
        try self.expect("(", "a tuple")
        var dimensions: [Int] = []
        var count = 0
        while !self.skip(")") {
            let dimension = try self.readInteger()
            count += 1
            if count <= JSONTensor.rankLimit {
                dimensions.append(dimension)
            }
            guard self.skip(",") else {
                guard count > 1 else { throw self.unexpected("','") }
                try self.expect(")", "',' or ')'")
                break
            }
        }
        guard count == dimensions.count else {
            throw .npy(.tooManyDimensions(count: count, limit: JSONTensor.rankLimit))
        }
        return dimensions
    }

    private mutating func readInteger() throws(TensorFormatError) -> Int {
        let isNegative = self.skip("-")
        self.skipSpace()
        let start = self.position
        var value = 0
        while self.position < self.end, self.file[self.position].isDigit {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int(self.file[self.position] - ASCII.zero))
            guard !overflow, !carry else { throw .npy(.invalidShape(.tooManyElements)) }
            value = sum
            self.position += 1
        }
        // Python has no decimal integers with leading zeros.
        let hasLeadingZero = self.position > start + 1 && self.file[start] == ASCII.zero
        guard self.position > start, !hasLeadingZero else {
            self.position = start
            throw self.unexpected("an integer")
        }
        if self.allowsLongIntegers {
            _ = self.skip("L")
        }
        return isNegative ? -value : value
    }

    // MARK: Tokens

    private mutating func skipSpace() {
        while self.position < self.end, self.file[self.position].isJSONSpace {
            self.position += 1
        }
    }

    /// The first byte of the next token.
    private mutating func peek() -> UInt8? {
        self.skipSpace()
        return self.position < self.end ? self.file[self.position] : nil
    }

    /// Passes over `token` if it comes next.
    private mutating func skip(_ token: StaticString) -> Bool {
        self.skipSpace()
        guard token.utf8CodeUnitCount <= self.end - self.position else { return false }
        for index in 0..<token.utf8CodeUnitCount where self.file[self.position + index] != token.utf8Start[index] {
            return false
        }
        self.position += token.utf8CodeUnitCount
        return true
    }

    private mutating func expect(_ token: StaticString, _ expected: String) throws(TensorFormatError) {
        guard self.skip(token) else { throw self.unexpected(expected) }
    }

    private func unexpected(_ expected: String) -> TensorFormatError {
        .npy(.unexpectedByte(expected: expected, offset: self.position))
    }
}
