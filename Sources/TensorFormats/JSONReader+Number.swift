extension JSONReader {
    /// Reads a number without fraction and exponent.
    public mutating func readInteger() throws(TensorFormatError) -> Int {
        guard try self.peekKind() == .number else { throw try self.wrongKind(expected: "an integer") }
        let start = self.position
        return try self.readNumberToken(Int.self) { (fault, pointer) in
            switch fault {
            case .outOfRange: .integerOutOfRange(range: "a 64-bit integer", pointer: pointer, offset: start)
            default: .notAnInteger(pointer: pointer, offset: start)
            }
        }
    }

    /// Reads a number, correctly rounded: one that is too large becomes infinite. Also takes `NaN`, `Infinity` and
    /// `-Infinity`, bare or as strings.
    public mutating func readNumber() throws(TensorFormatError) -> Double {
        let kind = try self.peekKind()
        guard kind == .number || kind == .string else { throw try self.wrongKind(expected: "a number") }
        let start = self.position
        return try self.readNumberToken(Double.self) { (_, pointer) in
            .wrongKind(expected: "a number", found: kind, pointer: pointer, offset: start)
        }
    }

    /// Reads the next number or string as an `Element`; `failure` words those of its faults that are not about
    /// grammar.
    private mutating func readNumberToken<Element: TextElement>(
        _ type: Element.Type,
        failure: (ElementFault, _ pointer: String) -> TensorFormatError
    ) throws(TensorFormatError) -> Element {
        let start = self.position
        if self.text[start] == ASCII.quote {
            _ = try self.readString()
        } else {
            while self.position < self.text.count, Self.isNumberByte(self.text[self.position]) {
                self.position += 1
            }
        }
        let result = self.withTerminatedToken(from: start) { token -> Result<Element, ElementFault> in
            var cursor = ElementCursor(token)
            do throws(ElementFault) {
                let element = try Element.read(&cursor)
                guard cursor.position == token.count - 1 else { throw .malformed(.trailingCharacter) }
                return .success(element)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let element):
            return element
        case .failure(.malformed(let rule)):
            throw .malformedNumber(rule: rule, pointer: self.pointer, offset: start)
        case .failure(.notAValue):
            self.position = start
            throw self.unexpected("a number")
        case .failure(let fault):
            throw failure(fault, self.pointer)
        }
    }

    /// Calls `body` with the bytes read since `start` and one more, which belongs to no number.
    private func withTerminatedToken<Value>(from start: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        guard self.position < self.text.count else {
            return (self.text[start...] + [ASCII.space]).withUnsafeBytes(body)
        }
        return body(UnsafeRawBufferPointer(rebasing: self.text[start...self.position]))
    }

    /// Passes over a number that is not needed.
    mutating func skipNumber() throws(TensorFormatError) {
        if let end = self.endOfDecimal() {
            self.position = end
        } else {
            // The tokens that are no decimals are rare, and so are faults.
            _ = try self.readNumber()
        }
    }

    /// Where the number that begins here ends; nil where it is none of RFC 8259 §6.
    func endOfDecimal() -> Int? {
        guard self.position < self.text.count else { return nil }
        let start = self.position + (self.text[self.position] == ASCII.minus ? 1 : 0)
        var end = self.endOfDigits(from: start)
        // int = zero / ( digit1-9 *DIGIT )
        guard end == start + 1 || end > start && self.text[start] != ASCII.zero else { return nil }
        if end < self.text.count, self.text[end] == ASCII.point {
            // frac = decimal-point 1*DIGIT
            let fraction = end + 1
            end = self.endOfDigits(from: fraction)
            guard end > fraction else { return nil }
        }
        if end < self.text.count, self.text[end].isExponentMark {
            // exp = e [ minus / plus ] 1*DIGIT
            var exponent = end + 1
            if exponent < self.text.count {
                exponent += self.text[exponent] == ASCII.minus || self.text[exponent] == ASCII.plus ? 1 : 0
            }
            end = self.endOfDigits(from: exponent)
            guard end > exponent else { return nil }
        }
        guard end == self.text.count || !Self.isNumberByte(self.text[end]) else { return nil }
        return end
    }

    private func endOfDigits(from start: Int) -> Int {
        var end = start
        while end < self.text.count, self.text[end].isDigit {
            end += 1
        }
        return end
    }

    /// Whether a number may contain the byte, or what a client may mistake for one.
    @inline(__always)
    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.zero...UInt8(ascii: "9"), ASCII.plus, ASCII.minus, ASCII.point, UInt8(ascii: "_"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
