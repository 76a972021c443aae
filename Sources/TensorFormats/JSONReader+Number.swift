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
        // The text may end with the number; elements are read from where a byte follows that is not theirs.
        let token = self.text[start..<self.position] + [ASCII.space]
        let result = token.withUnsafeBytes { bytes -> Result<Element, ElementFault> in
            var cursor = ElementCursor(bytes)
            do throws(ElementFault) {
                let element = try Element.read(&cursor)
                guard cursor.position == bytes.count - 1 else { throw .malformed(.trailingCharacter) }
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

    /// Whether a number may contain the byte, or what a client may mistake for one.
    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.zero...UInt8(ascii: "9"), ASCII.plus, ASCII.minus, ASCII.point, UInt8(ascii: "_"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
