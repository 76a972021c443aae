/// The shortest decimal that reads back to the same number of a binary format with at most 24 significant bits: the
/// nearest to it of those (Raffaello Giulietti, The Schubfach way to render doubles, 2020, with 64-bit powers of ten).
struct ShortestDecimal {
    /// At most 9 digits, the last of them not 0.
    private(set) var digits: UInt32

    /// The power of ten of the last digit.
    private(set) var exponent: Int

    /// The decimal of the number with this positive finite bit pattern.
    @inline(__always)
    init(_ pattern: UInt32, in format: BinaryFormat) {
        let fractionBits = UInt32(format.significandBits - 1)
        let fraction = pattern & (1 << fractionBits - 1)
        let biasedExponent = Int(pattern >> fractionBits)
        let isNormal = biasedExponent > 0
        let significand = isNormal ? fraction | 1 << fractionBits : fraction
        // The number is significand · 2^q.
        let q = max(biasedExponent, 1) - 1 + format.minimumExponent - Int(fractionBits)
        if q <= 0, -q <= Int(fractionBits), significand & (1 << UInt32(-q) - 1) == 0 {
            // A whole number that is exact has no shorter neighbour but for its trailing zeros.
            (self.digits, self.exponent) = (significand >> UInt32(-q), 0)
        } else {
            // Below a power of two the next number is only half as far away.
            let isLowerCloser = fraction == 0 && biasedExponent > 1
            (self.digits, self.exponent) = Self.shortest(significand, q, isLowerCloser: isLowerCloser)
        }
        while self.digits % 10 == 0 {
            self.digits /= 10
            self.exponent += 1
        }
    }

    @inline(__always)
    private static func shortest(_ significand: UInt32, _ q: Int, isLowerCloser: Bool) -> (UInt32, Int) {
        // k = ⌊log10(2^q)⌋, or of 3/4 · 2^q; shift makes 2^q / 10^k an integer with two more bits than it has.
        let k = (q * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22
        let shift = UInt32(q + (-k * 1_741_647) >> 19 + 1)
        let power = PowersOfTen.scaled[-k - PowersOfTen.firstScaled]
        let value = Self.roundedToOdd(power, (4 * significand) << shift)
        // Everything strictly between the bounds reads back; the bounds themselves do where ties go to this number.
        let isOdd = significand & 1
        let lower = Self.roundedToOdd(power, (4 * significand - (isLowerCloser ? 1 : 2)) << shift) + isOdd
        let upper = Self.roundedToOdd(power, (4 * significand + 2) << shift) - isOdd

        let floor = value / 4
        if floor >= 10 {
            // One digit less, if exactly one of the two candidates lies within.
            let tens = floor / 10
            let isLowerInside = lower <= 40 * tens
            let isUpperInside = 40 * tens + 40 <= upper
            if isLowerInside != isUpperInside {
                return (isUpperInside ? tens + 1 : tens, k + 1)
            }
        }
        let isLowerInside = lower <= 4 * floor
        let isUpperInside = 4 * floor + 4 <= upper
        if isLowerInside != isUpperInside {
            return (isUpperInside ? floor + 1 : floor, k)
        }
        let middle = 4 * floor + 2
        let roundsUp = value > middle || value == middle && floor & 1 == 1
        return (roundsUp ? floor + 1 : floor, k)
    }

    /// The upper part of `power` · `factor`, its last bit set where anything was cut off.
    @inline(__always)
    private static func roundedToOdd(_ power: UInt64, _ factor: UInt32) -> UInt32 {
        let product = power.multipliedFullWidth(by: UInt64(factor))
        return UInt32(truncatingIfNeeded: product.high) | (product.low >> 32 > 1 ? 1 : 0)
    }
}
