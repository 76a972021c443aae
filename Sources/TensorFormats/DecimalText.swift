import CDecimal

/// Writes numbers as JSON into memory that has room for them.
enum DecimalText {
    /// No number that is written here is longer.
    static let capacity = 32

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
            next.update(from: Self.pairs.utf8Start + 2 * Int(remainder), count: 2)
        }
        if rest >= 10 {
            text.update(from: Self.pairs.utf8Start + 2 * Int(rest), count: 2)
        } else {
            text.pointee = ASCII.zero + UInt8(rest)
        }
        return end
    }

    /// Writes `decimal`: plainly where that is about as short, else with an exponent.
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
            text.update(repeating: ASCII.zero, count: 2 - wholeCount)
            text[1] = ASCII.point
            return Self.write(UInt64(decimal.digits), to: text + 2 - wholeCount)
        case 1..<digitCount:
            // dd.ddd
            let end = Self.write(UInt64(decimal.digits), to: text + 1)
            text.update(from: text + 1, count: wholeCount)
            text[wholeCount] = ASCII.point
            return end
        case digitCount...15:
            // ddd00
            let end = Self.write(UInt64(decimal.digits), to: text)
            end.update(repeating: ASCII.zero, count: decimal.exponent)
            return end + decimal.exponent
        default:
            // d.dddde-xx
            var end = Self.write(UInt64(decimal.digits), to: text + 1)
            text[0] = text[1]
            text[1] = ASCII.point
            if digitCount == 1 {
                end = text + 1
            }
            end[0] = UInt8(ascii: "e")
            end[1] = ASCII.minus
            end += wholeCount < 1 ? 2 : 1
            return Self.write(UInt64(abs(wholeCount - 1)), to: end)
        }
    }

    @inline(__always)
    static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var limit: UInt64 = 10
        while value >= limit, count < 20 {
            count += 1
            limit = limit &* 10
        }
        return count
    }
}
