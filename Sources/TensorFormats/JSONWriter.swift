import CDecimal

/// Writes one compact JSON text value by value. The caller opens and closes objects and arrays; commas come by
/// themselves.
public struct JSONWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8] = []

    private var needsComma = false

    /// Begins an empty text with room for `capacity` bytes.
    public init(capacity: Int = 512) {
        self.bytes.reserveCapacity(capacity)
    }

    /// Writes an object; `members` writes names and values in turn.
    public mutating func object<Failure>(
        _ members: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        try self.enclose(ASCII.openBrace, ASCII.closeBrace, members)
    }

    /// Writes an array; `elements` writes its values.
    public mutating func array<Failure>(
        _ elements: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        try self.enclose(ASCII.openBracket, ASCII.closeBracket, elements)
    }

    /// Writes the name of a member; its value must follow.
    public mutating func name(_ name: String) {
        self.string(name)
        self.bytes.append(ASCII.colon)
        self.needsComma = false
    }

    public mutating func string(_ value: String) {
        self.separate()
        self.bytes.append(ASCII.quote)
        for byte in value.utf8 {
            switch byte {
            case ASCII.quote, ASCII.backslash:
                self.bytes.append(ASCII.backslash)
                self.bytes.append(byte)
            case 0..<0x20:
                // RFC 8259 §7: control characters must be escaped.
                self.bytes += "\\u00".utf8
                self.bytes.append(ASCII.zero + byte >> 4)
                self.bytes += String(byte & 15, radix: 16).utf8
            default:
                self.bytes.append(byte)
            }
        }
        self.bytes.append(ASCII.quote)
    }

    public mutating func boolean(_ value: Bool) {
        self.token(value ? "true" : "false")
    }

    public mutating func null() {
        self.token("null")
    }

    public mutating func integer(_ value: Int) {
        self.separate()
        self.append(capacity: DecimalText.capacity) { value.write(to: $0) }
    }

    /// Writes the shortest decimal that reads back to `value`; NaN and the infinities as strings.
    public mutating func number(_ value: Double) {
        self.separate()
        self.append(capacity: DecimalText.capacity) { value.write(to: $0) }
    }

    /// Writes `value`, correctly rounded, with that many digits after the point, 0 to 100.
    public mutating func number(_ value: Double, fractionDigits: Int) {
        precondition(0...100 ~= fractionDigits, "the digits fit into the buffer")
        guard value.isFinite else { return self.number(value) }
        self.separate()
        self.append(capacity: Int(decimal_capacity)) { text in
            text.withMemoryRebound(to: CChar.self, capacity: Int(decimal_capacity)) {
                text + decimal_write_fixed($0, Int(decimal_capacity), value, Int32(fractionDigits))
            }
        }
    }

    private mutating func token(_ token: String) {
        self.separate()
        self.bytes += token.utf8
    }
}

extension JSONWriter {
    mutating func enclose<Failure>(
        _ open: UInt8,
        _ close: UInt8,
        _ content: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        self.separate()
        self.bytes.append(open)
        self.needsComma = false
        try content(&self)
        self.bytes.append(close)
        self.needsComma = true
    }

    /// Writes a comma if a value stands before the one that comes.
    mutating func separate() {
        if self.needsComma {
            self.bytes.append(ASCII.comma)
        }
        self.needsComma = true
    }

    /// Appends what `write` writes into `capacity` bytes; it returns where that ends.
    mutating func append(
        capacity: Int,
        _ write: (UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a temporary buffer has an address") }
            self.bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: write(base) - base))
        }
    }
}
