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
        self.isNegative = cursor.next.pointee == ASCII.minus
        // Signs are hard to predict; an addition costs less than a wrong guess.
        var next = cursor.next + (self.isNegative ? 1 : 0)
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
            self.appendDigits(&next, end: cursor.end)
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

    /// Appends the digits at `next`, eight at a time.
    @inline(__always)
    private mutating func appendDigits(_ next: inout UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) {
        while end - next >= 8 {
            let word = UInt64(littleEndian: UnsafeRawPointer(next).loadUnaligned(as: UInt64.self))
            // A digit's byte is 3x and stays 3x when 6 is added. The lowest byte that differs is the first in the text.
            let sum = word &+ 0x0606_0606_0606_0606
            let others = ((word ^ Self.zeros) | (sum ^ Self.zeros)) & 0xf0f0_f0f0_f0f0_f0f0
            let count = others.trailingZeroBitCount / 8
            // Missing digits become leading zeros; shifts by 64 clear the word.
            let digits = word << UInt64(64 - 8 * count)
            self.significand = self.significand &* Self.powers[count] &+ Self.value(of: digits)
            next += count
            if count < 8 {
                return
            }
        }
        while next.pointee.isDigit {
            self.append(next.pointee)
            next += 1
        }
    }

    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    private static let powers: [UInt64] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]

    /// The number of eight digits, the first in the lowest byte; only the low halves of the bytes count.
    @inline(__always)
    private static func value(of digits: UInt64) -> UInt64 {
        // Neighbours are joined in pairs: digits, then hundreds, then ten thousands.
        let digits = digits & 0x0f0f_0f0f_0f0f_0f0f
        let pairs = digits &* 10 &+ digits >> 8
        let upper = (pairs & 0x0000_00ff_0000_00ff) &* (100 + 1_000_000 << 32)
        let lower = (pairs >> 16 & 0x0000_00ff_0000_00ff) &* (1 + 10_000 << 32)
        return (upper &+ lower) >> 32
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
