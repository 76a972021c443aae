import CDecimal

/// Writes numbers as JSON into memory that has room for them.
enum DecimalText {
    /// No number that is written here touches more bytes.
    static let capacity = 48

    /// "00" to "99".
    private static let pairs: StaticString = """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """

    /// Writes an integer; returns where it ends.
    @inline(__always)
    static func write(_ value: UInt64, to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let end = text + Self.digitCount(value)
        var next = end
        var rest = value
        while rest >= 100 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
            rest = quotient
            next -= 2
            Self.writePair(remainder, to: next)
        }
        if rest >= 10 {
            Self.writePair(rest, to: text)
        } else {
            text.pointee = ASCII.zero + UInt8(rest)
        }
        return end
    }

    /// Writes `decimal`: plainly where that is about as short, else with an exponent. Writes up to 16 bytes more than
    /// it counts.
    @inline(__always)
    static func write(
        _ decimal: ShortestDecimal,
        to text: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        let digitCount = Self.digitCount(UInt64(decimal.digits))
        // How many digits stand before the decimal point.
        let wholeCount = digitCount + decimal.exponent
        switch wholeCount {
        case -4...0:
            // 0.00ddd
            Self.writeZeros(to: text)
            text[1] = ASCII.point
            Self.writeNineDigits(decimal.digits, digitCount, to: text + 2 - wholeCount)
            return text + 2 - wholeCount + digitCount
        case 1..<digitCount:
            // dd.ddd
            Self.writeNineDigits(decimal.digits, digitCount, to: text + 1)
            for index in 0..<wholeCount {
                text[index] = text[index + 1]
            }
            text[wholeCount] = ASCII.point
            return text + 1 + digitCount
        case digitCount...15:
            // ddd00
            Self.writeNineDigits(decimal.digits, digitCount, to: text)
            Self.writeZeros(to: text + digitCount)
            Self.writeZeros(to: text + digitCount + 8)
            return text + wholeCount
        default:
            // d.dddde-xx
            Self.writeNineDigits(decimal.digits, digitCount, to: text + 1)
            text[0] = text[1]
            text[1] = ASCII.point
            let exponent = text + (digitCount == 1 ? 1 : digitCount + 1)
            exponent[0] = UInt8(ascii: "e")
            exponent[1] = ASCII.minus
            return Self.write(UInt64(abs(wholeCount - 1)), to: exponent + (wholeCount < 1 ? 2 : 1))
        }
    }

    /// Writes `digits`, which are `count` at most 9, and fills up to nine with zeros.
    @inline(__always)
    private static func writeNineDigits(_ digits: UInt32, _ count: Int, to text: UnsafeMutablePointer<UInt8>) {
        let nine = UInt64(digits) * Self.powers[9 - count]
        let (first, eight) = nine.quotientAndRemainder(dividingBy: 100_000_000)
        let (upper, lower) = eight.quotientAndRemainder(dividingBy: 10_000)
        text[0] = ASCII.zero + UInt8(truncatingIfNeeded: first)
        Self.writePair(upper / 100, to: text + 1)
        Self.writePair(upper % 100, to: text + 3)
        Self.writePair(lower / 100, to: text + 5)
        Self.writePair(lower % 100, to: text + 7)
    }

    @inline(__always)
    private static func writePair(_ value: UInt64, to text: UnsafeMutablePointer<UInt8>) {
        text.update(from: Self.pairs.utf8Start + 2 * Int(value), count: 2)
    }

    /// Writes eight zeros.
    @inline(__always)
    private static func writeZeros(to text: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(text).storeBytes(of: 0x3030_3030_3030_3030, as: UInt64.self)
    }

    @inline(__always)
    static func digitCount(_ value: UInt64) -> Int {
        // Zero has one digit, as one has. 1233 / 4096 is log10(2): the guess is right or one too low.
        let value = value | 1
        let guess = ((64 - value.leadingZeroBitCount) * 1233) >> 12
        return guess + (value >= Self.powers[guess] ? 1 : 0)
    }

    /// 10^0 to 10^19.
    private static let powers: [UInt64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
        10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]
}
