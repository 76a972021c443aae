extension JSONReader {
    /// Reads a string (RFC 8259 §7).
    public mutating func readString() throws(TensorFormatError) -> String {
        try self.expect(.string)
        let start = self.position
        self.position += 1
        var decoded: [UInt8] = []
        while true {
            let plain = try self.skipPlainCharacters()
            let isEnd = self.text[self.position] == ASCII.quote
            if isEnd && decoded.isEmpty {
                self.position += 1
                return try Self.validated(plain, offset: start)
            }
            decoded += plain
            if isEnd {
                self.position += 1
                return try Self.validated(decoded, offset: start)
            }
            decoded += try self.readEscape().utf8
        }
    }

    /// Passes over what stands for itself, up to a quotation mark or a backslash.
    private mutating func skipPlainCharacters() throws(TensorFormatError) -> UnsafeRawBufferPointer {
        let start = self.position
        while self.position < self.text.count {
            let byte = self.text[self.position]
            if byte == ASCII.quote || byte == ASCII.backslash {
                return UnsafeRawBufferPointer(rebasing: self.text[start..<self.position])
            }
            // RFC 8259 §7: U+0000 to U+001F must be escaped.
            guard byte >= 0x20 else { throw .controlCharacter(offset: self.position) }
            self.position += 1
        }
        throw .unexpectedEnd(offset: self.text.count)
    }

    private static func validated(
        _ bytes: some Collection<UInt8>,
        offset: Int
    ) throws(TensorFormatError) -> String {
        // ASCII is what names are made of, and needs no validation.
        if bytes.allSatisfy({ $0 < 0x80 }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        guard let string = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8(offset: offset) }
        return string
    }

    private mutating func readEscape() throws(TensorFormatError) -> String {
        let start = self.position
        guard start + 1 < self.text.count else { throw .unexpectedEnd(offset: self.text.count) }
        self.position += 2
        switch self.text[start + 1] {
        case ASCII.quote: return "\""
        case ASCII.backslash: return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return String(try self.readCodePoint(escapeAt: start))
        default: throw .invalidEscape(offset: start)
        }
    }

    /// Reads what follows `\u`: four digits, or a surrogate pair's eight with another `\u` between them.
    private mutating func readCodePoint(escapeAt start: Int) throws(TensorFormatError) -> Unicode.Scalar {
        let first = try self.readHexadecimal(escapeAt: start)
        if let scalar = Unicode.Scalar(first) {
            return scalar
        }
        let second = self.position
        for (index, byte) in [ASCII.backslash, UInt8(ascii: "u")].enumerated() {
            guard second + index < self.text.count else { throw .unexpectedEnd(offset: self.text.count) }
            guard first < 0xdc00, self.text[second + index] == byte else { throw .unpairedSurrogate(offset: start) }
        }
        self.position += 2
        let low = try self.readHexadecimal(escapeAt: second)
        guard 0xdc00..<0xe000 ~= low, let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (low - 0xdc00))
        else { throw .unpairedSurrogate(offset: start) }
        return scalar
    }

    private mutating func readHexadecimal(escapeAt start: Int) throws(TensorFormatError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard self.position < self.text.count else { throw .unexpectedEnd(offset: self.text.count) }
            guard let digit = Character(Unicode.Scalar(self.text[self.position])).hexDigitValue else {
                throw .invalidEscape(offset: start)
            }
            value = value << 4 | UInt32(digit)
            self.position += 1
        }
        return value
    }
}
