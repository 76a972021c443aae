/// A number as it is written in JSON (RFC 8259 §6): ±significand · 10^exponent, and maybe a little more.
struct DecimalNumber {
    /// The first 19 significant digits.
    private(set) var significand: UInt64 = 0

    /// The power of ten of the last digit of `significand`.
    private(set) var exponent = 0

    private(set) var isNegative = false

    /// Whether digits other than zero follow those of `significand`: the magnitude lies between it and its successor.
    private(set) var isTruncated = false

    /// Exponents are counted up to here; the texts that come near are infinite or zero in every type.
    private static let exponentLimit = 1 << 48

    /// The number of digits that always fit into 64 bits.
    private static let digitLimit = 19

    /// Reads the number at the cursor, whose first byte is a minus sign or a digit.
    @inline(__always)
    init(_ cursor: inout ElementCursor) throws(ElementFault) {
        var next = cursor.next
        if next.pointee == ASCII.minus {
            self.isNegative = true
            next += 1
        }
        let digits = next
        while next.pointee.isDigit {
            self.append(next.pointee)
            next += 1
        }
        var digitCount = next - digits
        // RFC 8259 §6: int = zero / ( digit1-9 *DIGIT )
        guard digitCount == 1 || digitCount > 1 && digits.pointee != ASCII.zero else {
            throw .malformed(digitCount == 0 ? .noDigits : .leadingZero)
        }
        if next.pointee == ASCII.point {
            next += 1
            let fraction = next
            while cursor.end - next >= 8, let eight = Self.eightDigits(at: next) {
                self.significand = self.significand &* 100_000_000 &+ eight
                next += 8
            }
            while next.pointee.isDigit {
                self.append(next.pointee)
                next += 1
            }
            // RFC 8259 §6: frac = decimal-point 1*DIGIT
            guard next > fraction else { throw .malformed(.noFractionDigits) }
            self.exponent = fraction - next
            digitCount += next - fraction
        }
        let digitsEnd = next
        if next.pointee.isExponentMark {
            self.exponent += try Self.readExponent(&next)
        }
        if digitCount > Self.digitLimit {
            self.keepLeadingDigits(of: UnsafeBufferPointer(start: digits, count: digitsEnd - digits), digitCount)
        }
        cursor.next = next
    }

    @inline(__always)
    private mutating func append(_ digit: UInt8) {
        // More than 19 digits wrap around; `keepLeadingDigits` puts that right.
        self.significand = self.significand &* 10 &+ UInt64(digit &- ASCII.zero)
    }

    /// The eight digits at `text` as a number; nil where they are not all digits.
    @inline(__always)
    private static func eightDigits(at text: UnsafePointer<UInt8>) -> UInt64? {
        let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
        // A byte is a digit if its high half is 3 and stays 3 when 6 is added.
        let high: UInt64 = 0xf0f0_f0f0_f0f0_f0f0
        let zeros: UInt64 = 0x3030_3030_3030_3030
        guard word & high | ((word &+ 0x0606_0606_0606_0606) & high) >> 4 == 0x3333_3333_3333_3333 else { return nil }
        // Neighbours are joined in pairs: digits, then hundreds, then ten thousands.
        let pairs = (word &- zeros) &* 10 &+ (word &- zeros) >> 8
        let low = (pairs & 0x0000_00ff_0000_00ff) &* (100 + 1_000_000 << 32)
        let top = (pairs >> 16 & 0x0000_00ff_0000_00ff) &* (1 + 10_000 << 32)
        return (low &+ top) >> 32
    }

    /// Reads exp = e [ minus / plus ] 1*DIGIT (RFC 8259 §6), of any length.
    private static func readExponent(_ next: inout UnsafePointer<UInt8>) throws(ElementFault) -> Int {
        next += 1
        let isNegative = next.pointee == ASCII.minus
        if isNegative || next.pointee == ASCII.plus {
            next += 1
        }
        guard next.pointee.isDigit else { throw .malformed(.noExponentDigits) }
        var exponent = 0
        while next.pointee.isDigit {
            if exponent < Self.exponentLimit {
                exponent = exponent * 10 + Int(next.pointee - ASCII.zero)
            }
            next += 1
        }
        return isNegative ? -exponent : exponent
    }

    /// Takes the first 19 significant digits of a longer number, given from its first digit to its last.
    @inline(never)
    private mutating func keepLeadingDigits(of digits: UnsafeBufferPointer<UInt8>, _ digitCount: Int) {
        self.significand = 0
        var kept = 0
        var passed = 0
        for byte in digits where byte != ASCII.point {
            passed += 1
            if kept < Self.digitLimit {
                self.append(byte)
                // Leading zeros are no significant digits.
                kept += kept > 0 || byte != ASCII.zero ? 1 : 0
                if kept == Self.digitLimit {
                    self.exponent += digitCount - passed
                }
            } else if byte != ASCII.zero {
                self.isTruncated = true
                return
            }
        }
    }
}
