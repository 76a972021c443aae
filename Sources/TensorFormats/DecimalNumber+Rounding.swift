import CDecimal

extension DecimalNumber {
    /// The number's magnitude in `format`, rounded to nearest, ties to even: its bit pattern without a sign.
    ///
    /// `text` is the number as written. Numbers of up to 19 digits and moderate exponents are rounded from exact
    /// integers, once; what is left goes to the C++ library.
    func magnitude(in format: BinaryFormat, text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        if self.significand == 0 {
            return 0
        }
        if let lower = self.exactMagnitude(of: self.significand, in: format) {
            // Cut digits raise the value, but not to the next significand: where both round alike, so does the value.
            if !self.isTruncated || self.exactMagnitude(of: self.significand + 1, in: format) == lower {
                return lower
            }
        }
        return self.libraryMagnitude(in: format, text: text)
    }

    /// Rounds `significand` · 10^exponent, or returns nil where 5^|exponent| does not fit into 63 bits.
    @inline(__always)
    private func exactMagnitude(of significand: UInt64, in format: BinaryFormat) -> UInt64? {
        guard -PowersOfTen.fives.count < self.exponent, self.exponent < PowersOfTen.fives.count else { return nil }
        let five = PowersOfTen.fives[abs(self.exponent)]
        if self.exponent >= 0 {
            let product = significand.multipliedFullWidth(by: five)
            let zeros = product.high == 0 ? 64 : product.high.leadingZeroBitCount
            let isWide = zeros < 64
            let top = isWide ? product.high << UInt64(zeros) | (product.low >> 1) >> UInt64(63 - zeros) : product.low
            let shift = top.leadingZeroBitCount
            return format.round(
                top << UInt64(shift),
                exponent: self.exponent + 64 - zeros - shift,
                isInexact: isWide && product.low << UInt64(zeros) != 0
            )
        }
        // Both sides of the fraction are shifted until their top bits are set, the upper one back by one where the
        // quotient would not fit; then the quotient has all 64 bits.
        let upperShift = significand.leadingZeroBitCount
        let lowerShift = five.leadingZeroBitCount
        let upper = significand << UInt64(upperShift)
        let lower = five << UInt64(lowerShift)
        let fits: UInt64 = upper < lower ? 0 : 1
        let (quotient, remainder) = lower.dividingFullWidth((upper >> fits, fits == 0 ? 0 : upper << 63))
        return format.round(
            quotient,
            exponent: self.exponent + lowerShift - upperShift - 64 + Int(fits),
            isInexact: remainder != 0
        )
    }

    @inline(never)
    private func libraryMagnitude(in format: BinaryFormat, text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        // No significand of 1 to 10^19 gets back into the range of any format from there.
        if self.exponent > 400 {
            return format.infinity
        }
        if self.exponent < -400 {
            return 0
        }
        let unsigned = UnsafeBufferPointer(rebasing: text.dropFirst(self.isNegative ? 1 : 0))
        return unsigned.withMemoryRebound(to: CChar.self) { characters in
            guard let first = characters.baseAddress else { return 0 }
            let last = first + characters.count
            // The library does not say which end of the range was left: above 1, or below.
            let beyondRange = self.exponent > 0 ? format.infinity : 0
            if format.significandBits == BinaryFormat.fp32.significandBits {
                var value: Float = 0
                return decimal_read_float(first, last, &value) ? UInt64(value.bitPattern) : beyondRange
            }
            var value = 0.0
            guard decimal_read_double(first, last, &value) else { return beyondRange }
            return format.significandBits == BinaryFormat.fp64.significandBits
                ? value.bitPattern : self.narrowedMagnitude(value, in: format, text: unsigned)
        }
    }

    /// Rounds once more, from `value`, the nearest Double, to a format of less than half its precision.
    ///
    /// That is the number itself rounded unless `value` lies exactly between two numbers of the format. Then the
    /// number's digits are compared with those of `value`, to know on which side of it the number lies.
    private func narrowedMagnitude(
        _ value: Double,
        in format: BinaryFormat,
        text: UnsafeBufferPointer<UInt8>
    ) -> UInt64 {
        if value < Double.leastNormalMagnitude {
            return 0
        }
        if value == .infinity {
            return format.infinity
        }
        let significand = (value.significandBitPattern | 1 << 52) << 11
        let exponent = Int(value.exponent) - 63
        let below = format.round(significand - 1, exponent: exponent, isInexact: true)
        let above = format.round(significand, exponent: exponent, isInexact: true)
        if below == above {
            return above
        }
        let leadingExponent = self.exponent + String(self.significand).count - 1
        switch DecimalExpansion(text, exponent: leadingExponent).compared(to: DecimalExpansion(value)) {
        case .less: return below
        case .equal: return format.round(significand, exponent: exponent, isInexact: false)
        case .greater: return above
        }
    }
}
