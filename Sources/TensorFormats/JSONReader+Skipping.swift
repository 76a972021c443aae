extension JSONReader {
    /// The first rule of JSON that `text` breaks, if any. That names are unique is asked of known objects only.
    public static func syntaxError(
        in text: UnsafeRawBufferPointer,
        nestingLimit: Int = 64
    ) -> TensorFormatError? {
        do throws(TensorFormatError) {
            var reader = try JSONReader(text, nestingLimit: nestingLimit)
            try reader.skipValue()
            try reader.finish()
            return nil
        } catch {
            return error
        }
    }

    /// Reads the next value, whatever it is, and forgets it.
    public mutating func skipValue() throws(TensorFormatError) {
        switch try self.peekKind() {
        case .object:
            try self.readMembers { (reader, _, _) throws(TensorFormatError) in
                try reader.skipValue()
            }
        case .array:
            try self.skipElements()
        case .string: _ = try self.readString()
        case .number: try self.skipNumber()
        case .boolean: _ = try self.readBoolean()
        case .null: try self.readNull()
        }
    }

    /// Passes over the next value to look at what follows it: what arrays hold is not judged.
    public mutating func passOver() throws(TensorFormatError) {
        switch try self.peekKind() {
        case .object:
            try self.readMembers { (reader, _, _) throws(TensorFormatError) in
                try reader.passOver()
            }
        case .array: _ = try self.skipArray()
        default: try self.skipValue()
        }
    }

    private mutating func skipElements() throws(TensorFormatError) {
        try self.enter()
        var index = 0
        while try self.peekToken() != ASCII.closeBracket {
            if index > 0 {
                try self.consume(ASCII.comma, "',' or ']'")
                self.skipSpace()
            }
            // Numbers are many and need no path.
            if let end = self.endOfDecimal() {
                self.position = end
            } else {
                self.path.enterElement(index)
                try self.skipValue()
                self.path.leave()
            }
            index += 1
        }
        self.leave()
    }

    /// Passes over an array by matching its brackets; what else is in it is judged when it is decoded.
    mutating func skipArray() throws(TensorFormatError) -> (range: Range<Int>, isNested: Bool) {
        try self.expect(.array)
        let start = self.position
        let firstElement = self.text[(start + 1)...].first { !$0.isJSONSpace }
        var level = self.depth
        repeat {
            switch try self.nextStructuralByte() {
            case ASCII.openBracket:
                guard level < self.nestingLimit else {
                    throw .nestedTooDeeply(limit: self.nestingLimit, offset: self.position)
                }
                level += 1
                self.position += 1
            case ASCII.closeBracket:
                level -= 1
                self.position += 1
            default:
                _ = try self.readString()
            }
        } while level > self.depth
        return (start..<self.position, firstElement == ASCII.openBracket)
    }

    /// Moves on to the next bracket or quotation mark and returns it.
    private mutating func nextStructuralByte() throws(TensorFormatError) -> UInt8 {
        while self.position + 8 <= self.text.count {
            let word = self.text.loadUnaligned(fromByteOffset: self.position, as: UInt64.self)
            // A byte that is 0 here is a quotation mark, or a bracket or one of the few near them that no number has.
            let quotes = word ^ 0x2222_2222_2222_2222
            let brackets = (word | 0x0606_0606_0606_0606) ^ 0x5f5f_5f5f_5f5f_5f5f
            let lowBits: UInt64 = 0x0101_0101_0101_0101
            let found = (quotes &- lowBits) & ~quotes | (brackets &- lowBits) & ~brackets
            guard found & (lowBits << 7) == 0 else { break }
            self.position += 8
        }
        while self.position < self.text.count {
            switch self.text[self.position] {
            case ASCII.openBracket, ASCII.closeBracket, ASCII.quote: return self.text[self.position]
            default: self.position += 1
            }
        }
        throw .unexpectedEnd(offset: self.text.count)
    }
}
