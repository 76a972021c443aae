/// Reads one JSON text (RFC 8259, strictly) value by value, as the caller asks for them.
///
/// Beyond the RFC it takes the bare tokens `NaN`, `Infinity` and `-Infinity` for numbers, as Python writes them, and
/// refuses objects that use a name twice. Texts from the client are compared only where they are short and ASCII:
/// comparing `String`s of many combining marks takes quadratic time. The text must stay valid while the reader is used.
public struct JSONReader {
    let text: UnsafeRawBufferPointer
    let nestingLimit: Int

    var position = 0
    var depth = 0
    var path = JSONPointer()

    /// Begins to read `text`, whose arrays and objects are nested at most `nestingLimit` deep.
    public init(_ text: UnsafeRawBufferPointer, nestingLimit: Int = 64) throws(TensorFormatError) {
        self.text = text
        self.nestingLimit = nestingLimit
        // RFC 8259 §8.1: implementations must not add a byte order mark; saying so beats "expected a value".
        if text.starts(with: [0xef, 0xbb, 0xbf]) {
            throw .byteOrderMark
        }
    }

    /// The JSON Pointer (RFC 6901) to the value that is read next or is being read.
    public var pointer: String { self.path.text }

    /// The number of bytes read so far: between values, where the next one or the white space before it begins.
    public var offset: Int { self.position }

    /// What the next value is, told by its first byte.
    public mutating func peekKind() throws(TensorFormatError) -> JSONKind {
        switch try self.peekToken() {
        case ASCII.openBrace: return .object
        case ASCII.openBracket: return .array
        case ASCII.quote: return .string
        case ASCII.minus, ASCII.zero...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        default: throw self.unexpected("a value")
        }
    }

    /// Reads an object and calls `member` with each of its names; `member` must read the value.
    ///
    /// Names come from closed vocabularies: one that is no word is unknown before it is compared with any other.
    public mutating func readObject(
        _ member: (inout JSONReader, String) throws(TensorFormatError) -> Void
    ) throws(TensorFormatError) {
        var names = MemberNames()
        try self.readMembers { (reader, name, offset) throws(TensorFormatError) in
            guard Self.isWord(name) else { throw reader.unknownMember(name) }
            guard names.insert(name) else {
                throw .duplicateMember(name: name, pointer: reader.objectPointer, offset: offset)
            }
            try member(&reader, name)
        }
    }

    /// Reads an array and calls `element` for each of its values, which `element` must read.
    public mutating func readArray(
        _ element: (inout JSONReader) throws(TensorFormatError) -> Void
    ) throws(TensorFormatError) {
        try self.expect(.array)
        try self.enter()
        var index = 0
        while try self.peekToken() != ASCII.closeBracket {
            if index > 0 {
                try self.consume(ASCII.comma, "',' or ']'")
            }
            self.path.enterElement(index)
            _ = try self.peekKind()
            try element(&self)
            self.path.leave()
            index += 1
        }
        self.leave()
    }

    public mutating func readBoolean() throws(TensorFormatError) -> Bool {
        try self.expect(.boolean)
        let isTrue = self.text[self.position] == UInt8(ascii: "t")
        try self.consumeLiteral(isTrue ? "true" : "false")
        return isTrue
    }

    public mutating func readNull() throws(TensorFormatError) {
        try self.expect(.null)
        try self.consumeLiteral("null")
    }

    /// Makes sure that nothing but white space is left.
    public mutating func finish() throws(TensorFormatError) {
        self.skipSpace()
        guard self.position == self.text.count else { throw .trailingBytes(offset: self.position) }
    }

    /// The error for a member that the object being read does not know; for use where its value would be
    /// read, which is the offset that it gives.
    public func unknownMember(_ name: String) -> TensorFormatError {
        .unknownMember(name: name, pointer: self.objectPointer, offset: self.position)
    }

    /// The error for a value that is not `expected`, a noun with its article; for use before the value is read.
    public mutating func wrongKind(expected: String) throws(TensorFormatError) -> TensorFormatError {
        .wrongKind(
            expected: expected,
            found: try self.peekKind(),
            pointer: self.pointer,
            offset: self.position
        )
    }
}

extension JSONReader {
    /// Reads an object and calls `member` with each of its names, known or not, and where it stands.
    mutating func readMembers(
        _ member: (inout JSONReader, _ name: String, _ offset: Int) throws(TensorFormatError) -> Void
    ) throws(TensorFormatError) {
        try self.expect(.object)
        try self.enter()
        var isFirst = true
        while try self.peekToken() != ASCII.closeBrace {
            if !isFirst {
                try self.consume(ASCII.comma, "',' or '}'")
            }
            guard try self.peekToken() == ASCII.quote else { throw self.unexpected("a member's name in quotes") }
            let offset = self.position
            let name = try self.readString()
            self.path.enterMember(name)
            _ = try self.peekToken()
            try self.consume(ASCII.colon, "':'")
            _ = try self.peekKind()
            try member(&self, name, offset)
            self.path.leave()
            isFirst = false
        }
        self.leave()
    }

    /// The pointer to the object whose member is being read.
    var objectPointer: String {
        var object = self.path
        object.leave()
        return object.text
    }

    mutating func skipSpace() {
        while self.position < self.text.count, self.text[self.position].isJSONSpace {
            self.position += 1
        }
    }

    /// Skips white space and returns the byte after it, which is not read yet.
    mutating func peekToken() throws(TensorFormatError) -> UInt8 {
        self.skipSpace()
        guard self.position < self.text.count else { throw .unexpectedEnd(offset: self.text.count) }
        return self.text[self.position]
    }

    mutating func consume(_ byte: UInt8, _ expected: String) throws(TensorFormatError) {
        guard self.text[self.position] == byte else { throw self.unexpected(expected) }
        self.position += 1
    }

    mutating func consumeLiteral(_ literal: StaticString) throws(TensorFormatError) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard self.position + index < self.text.count else { throw .unexpectedEnd(offset: self.text.count) }
            guard self.text[self.position + index] == literal.utf8Start[index] else {
                throw self.unexpected("the token \(literal)")
            }
        }
        self.position += literal.utf8CodeUnitCount
    }

    mutating func expect(_ kind: JSONKind) throws(TensorFormatError) {
        guard try self.peekKind() == kind else { throw try self.wrongKind(expected: kind.description) }
    }

    func unexpected(_ expected: String) -> TensorFormatError {
        .unexpectedByte(expected: expected, pointer: self.pointer, offset: self.position)
    }

    /// Reads the bracket that opens an array or object.
    mutating func enter() throws(TensorFormatError) {
        guard self.depth < self.nestingLimit else {
            throw .nestedTooDeeply(limit: self.nestingLimit, offset: self.position)
        }
        self.depth += 1
        self.position += 1
    }

    /// Reads the bracket that closes an array or object.
    mutating func leave() {
        self.depth -= 1
        self.position += 1
    }
}
