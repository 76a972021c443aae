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

    /// Rounds the approximation, unless it lies too close to the middle between two floats.
    @inline(__always)
    static func quick(_ number: DecimalNumber) -> Float? {
        guard let value = number.approximation else { return nil }
        let middle: UInt64 = 1 << 28
        let distance = Int64(bitPattern: value.bitPattern & (middle << 1 - 1)) - Int64(middle)
        guard distance.magnitude > DecimalNumber.approximationError else { return nil }
        // Subnormal floats have other middles; above the largest there may be none. Zero is zero.
        guard value >= 0x1p-126 && value < 0x1p127 || number.significand == 0 else { return nil }
        return Float(isNegative: number.isNegative, magnitude: UInt64(Float(value).bitPattern))
    }
}

extension DecimalNumber {
    /// The number's magnitude, off by less than 2 units in the last place: the significand, the power of ten and their
    /// product are rounded once each, and digits that were cut off hardly count. nil where the exponent is too large.
    @inline(__always)
    fileprivate var approximation: Double? {
        let index = self.exponent - PowersOfTen.firstDouble
        guard PowersOfTen.doubles.indices.contains(index), self.significand <= Int64.max else { return nil }
        return Double(Int64(bitPattern: self.significand)) * PowersOfTen.doubles[index]
    }

    /// More than `approximation` is ever off, in units in its last place.
    fileprivate static let approximationError: UInt64 = 4

    /// The bit pattern, in a format of 16 bits, of all the numbers as close to the approximation as the number is; nil
    /// where they differ.
    @inline(__always)
    fileprivate func quickMagnitude(in format: BinaryFormat) -> UInt64? {
        guard let value = self.approximation, value > 0x1p-200 else { return nil }
        let error = Self.approximationError
        let significand = value.significandBitPattern | 1 << 52
        guard significand - error >= 1 << 52, significand + error < 1 << 53 else { return nil }
        let exponent = Int(value.exponentBitPattern) - 1023 - 63
        let lower = format.round((significand - error) << 11, exponent: exponent, isInexact: true)
        let upper = format.round((significand + error) << 11, exponent: exponent, isInexact: true)
        return lower == upper ? lower : nil
    }
}

extension Float16: FloatingTextElement {
    static var format: BinaryFormat { .fp16 }

    init(isNegative: Bool, magnitude: UInt64) {
        self.init(bitPattern: UInt16(truncatingIfNeeded: magnitude) | (isNegative ? 1 << 15 : 0))
    }

    @inline(__always)
    static func quick(_ number: DecimalNumber) -> Float16? {
        number.quickMagnitude(in: Self.format).map { Float16(isNegative: number.isNegative, magnitude: $0) }
    }
}

extension BFloat16: FloatingTextElement {
    static var format: BinaryFormat { .bf16 }

    init(isNegative: Bool, magnitude: UInt64) {
        self.init(bitPattern: UInt16(truncatingIfNeeded: magnitude) | (isNegative ? 1 << 15 : 0))
    }

    @inline(__always)
    static func quick(_ number: DecimalNumber) -> BFloat16? {
        number.quickMagnitude(in: Self.format).map { BFloat16(isNegative: number.isNegative, magnitude: $0) }
    }
}
