import Tensors

/// An element of a tensor as it is read from JSON and written to it.
protocol TextElement: BitwiseCopyable {
    /// Reads the element at the cursor, and nothing after it.
    static func read(_ cursor: inout ElementCursor) throws(ElementFault) -> Self

    /// Writes the element, in at most `DecimalText.capacity` bytes; returns where it ends.
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>
}

/// An element that takes every number, rounded to nearest, ties to even.
protocol FloatingTextElement: TextElement {
    static var format: BinaryFormat { get }

    /// The element of a sign and a magnitude's bit pattern.
    init(isNegative: Bool, magnitude: UInt64)

    /// The element for `number` where a few instructions give it correctly rounded; else nil.
    static func quick(_ number: DecimalNumber) -> Self?
}

extension FloatingTextElement {
    @inline(__always)
    static func quick(_ number: DecimalNumber) -> Self? { nil }

    @inline(__always)
    static func read(_ cursor: inout ElementCursor) throws(ElementFault) -> Self {
        let start = cursor.next
        guard start[start.pointee == ASCII.minus ? 1 : 0].isDigit else { return try Self.readNonFinite(&cursor) }
        let number = try DecimalNumber(&cursor)
        if let value = Self.quick(number) {
            return value
        }
        return Self.rounded(number, UnsafeBufferPointer(start: start, count: cursor.next - start))
    }

    @inline(never)
    private static func rounded(_ number: DecimalNumber, _ text: UnsafeBufferPointer<UInt8>) -> Self {
        Self(isNegative: number.isNegative, magnitude: number.magnitude(in: Self.format, text: text))
    }

    /// Reads `NaN`, `Infinity` or `-Infinity`, bare as Python writes them or as strings as proto3's JSON mapping does.
    @inline(never)
    private static func readNonFinite(_ cursor: inout ElementCursor) throws(ElementFault) -> Self {
        let (infinity, quietBit) = (Self.format.infinity, UInt64(1) << UInt64(Self.format.significandBits - 2))
        let isQuoted = cursor.next.pointee == ASCII.quote
        if isQuoted ? cursor.skip("\"NaN\"") : cursor.skip("NaN") {
            return Self(isNegative: false, magnitude: infinity | quietBit)
        }
        if isQuoted ? cursor.skip("\"Infinity\"") : cursor.skip("Infinity") {
            return Self(isNegative: false, magnitude: infinity)
        }
        if isQuoted ? cursor.skip("\"-Infinity\"") : cursor.skip("-Infinity") {
            return Self(isNegative: true, magnitude: infinity)
        }
        throw cursor.fault()
    }
}

extension Double: FloatingTextElement {
    static var format: BinaryFormat { .fp64 }

    init(isNegative: Bool, magnitude: UInt64) {
        self.init(bitPattern: magnitude | (isNegative ? 1 << 63 : 0))
    }

    /// One multiplication or division of two exact doubles rounds once (Clinger 1990).
    @inline(__always)
    static func quick(_ number: DecimalNumber) -> Double? {
        let power = Int(bitPattern: number.exponent.magnitude)
        guard power <= PowersOfTen.lastExact, number.significand <= 1 << 53, !number.isTruncated else { return nil }
        let significand = Double(Int64(bitPattern: number.significand))
        let scale = PowersOfTen.doubles[power - PowersOfTen.firstDouble]
        let magnitude = number.exponent < 0 ? significand / scale : significand * scale
        return Double(isNegative: number.isNegative, magnitude: magnitude.bitPattern)
    }
}

extension Float: FloatingTextElement {
    static var format: BinaryFormat { .fp32 }

    init(isNegative: Bool, magnitude: UInt64) {
        self.init(bitPattern: UInt32(truncatingIfNeeded: magnitude) | (isNegative ? 1 << 31 : 0))
    }

    /// The product of two doubles that are each rounded once is off by less than 2 units in its last place, cut digits
    /// included. It rounds as the number itself does, unless it lies that close to the middle between two floats.
    @inline(__always)
    static func quick(_ number: DecimalNumber) -> Float? {
        let index = number.exponent - PowersOfTen.firstDouble
        guard PowersOfTen.doubles.indices.contains(index), number.significand <= Int64.max else { return nil }
        let value = Double(Int64(bitPattern: number.significand)) * PowersOfTen.doubles[index]
        let middle: UInt64 = 1 << 28
        let distance = Int64(bitPattern: value.bitPattern & (middle << 1 - 1)) - Int64(middle)
        guard distance.magnitude > 4 else { return nil }
        // Subnormal floats have other middles; above the largest there may be none. Zero is zero.
        guard value >= 0x1p-126 && value < 0x1p127 || number.significand == 0 else { return nil }
        return Float(isNegative: number.isNegative, magnitude: UInt64(Float(value).bitPattern))
    }
}

extension Float16: FloatingTextElement {
    static var format: BinaryFormat { .fp16 }

    init(isNegative: Bool, magnitude: UInt64) {
        self.init(bitPattern: UInt16(truncatingIfNeeded: magnitude) | (isNegative ? 1 << 15 : 0))
    }
}

extension BFloat16: FloatingTextElement {
    static var format: BinaryFormat { .bf16 }

    init(isNegative: Bool, magnitude: UInt64) {
        self.init(bitPattern: UInt16(truncatingIfNeeded: magnitude) | (isNegative ? 1 << 15 : 0))
    }
}
