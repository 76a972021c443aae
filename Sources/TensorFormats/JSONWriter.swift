public import AlignedMemory

/// Writes one compact JSON text value by value. The caller opens and closes objects and arrays; commas come by
/// themselves.
public struct JSONWriter: Sendable {
    /// A piece of the text. Much data stands in memory of its own.
    public enum Part: Sendable {
        case bytes([UInt8])
        /// The bytes of the range of the buffer.
        case buffer(AlignedBuffer, Range<Int>)
    }

    /// The parts before `tail`.
    private var parts: [Part] = []

    /// What has been written since the last part.
    private var tail: [UInt8] = []

    private var needsComma = false

    /// Begins an empty text with room for `capacity` bytes.
    public init(capacity: Int = 512) {
        self.tail.reserveCapacity(capacity)
    }

    /// What has been written, in order.
    public func finish() -> [Part] {
        self.tail.isEmpty ? self.parts : self.parts + [.bytes(self.tail)]
    }

    /// What has been written, for texts without tensor data.
    public var bytes: [UInt8] {
        precondition(self.parts.isEmpty, "texts with tensor data are taken in parts")
        return self.tail
    }

    public mutating func null() {
        self.separate()
        self.tail += "null".utf8
    }

    public mutating func boolean(_ value: Bool) {
        self.separate()
        self.append(capacity: DecimalText.capacity) { value.write(to: $0) }
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
        self.tail.append(ASCII.colon)
        self.needsComma = false
    }

    public mutating func string(_ value: String) {
        self.separate()
        self.tail.append(ASCII.quote)
        for byte in value.utf8 {
            switch byte {
            case ASCII.quote, ASCII.backslash:
                self.tail.append(ASCII.backslash)
                self.tail.append(byte)
            case 0..<0x20:
                // RFC 8259 §7: control characters must be escaped.
                self.tail += "\\u00".utf8
                self.tail.append(ASCII.zero + byte >> 4)
                self.tail += String(byte & 15, radix: 16).utf8
            default:
                self.tail.append(byte)
            }
        }
        self.tail.append(ASCII.quote)
    }

    public mutating func integer(_ value: Int) {
        self.separate()
        self.append(capacity: DecimalText.capacity) { value.write(to: $0) }
    }

    /// Writes a number as an element of an FP64 tensor: the shortest decimal that reads back to it, or a string for
    /// what is not finite.
    public mutating func number(_ value: Double) {
        self.separate()
        self.append(capacity: DecimalText.capacity) { value.write(to: $0) }
    }

    /// Writes a number of tenths, as 21.4.
    public mutating func decimal(tenths: UInt64) {
        self.separate()
        self.append(capacity: DecimalText.capacity) { text in
            let point = DecimalText.write(tenths / 10, to: text)
            point[0] = ASCII.point
            point[1] = ASCII.zero + UInt8(tenths % 10)
            return point + 2
        }
    }
}

extension JSONWriter {
    private mutating func enclose<Failure>(
        _ open: UInt8,
        _ close: UInt8,
        _ content: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        self.separate()
        self.tail.append(open)
        self.needsComma = false
        try content(&self)
        self.tail.append(close)
        self.needsComma = true
    }

    /// Writes a comma if a value stands before the one that comes.
    private mutating func separate() {
        if self.needsComma {
            self.tail.append(ASCII.comma)
        }
        self.needsComma = true
    }

    /// Appends what `write` writes into `capacity` bytes; it returns where that ends.
    private mutating func append(
        capacity: Int,
        _ write: (UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a temporary buffer has an address") }
            self.tail.append(contentsOf: UnsafeBufferPointer(start: base, count: write(base) - base))
        }
    }

    /// Appends a value that has been written elsewhere: a short one is copied, a long one becomes a part.
    mutating func append(_ text: TensorText) {
        self.separate()
        if text.bytes.count <= Self.copyLimit {
            self.tail.append(contentsOf: text.bytes)
        } else {
            self.parts.append(.bytes(self.tail))
            self.parts.append(.buffer(text.buffer, 0..<text.bytes.count))
            self.tail = []
        }
    }

    /// Up to here, in bytes, a copy costs less than a part.
    private static let copyLimit = 64 << 10
}
