/// A binary floating-point interchange format (IEEE 754-2019 §3.4), or one like it.
struct BinaryFormat: Sendable {
    /// The precision, hidden bit included.
    let significandBits: Int
    /// The exponent of the smallest normal number.
    let minimumExponent: Int

    static let fp16 = Self(significandBits: 11, minimumExponent: -14)
    static let bf16 = Self(significandBits: 8, minimumExponent: -126)
    static let fp32 = Self(significandBits: 24, minimumExponent: -126)
    static let fp64 = Self(significandBits: 53, minimumExponent: -1022)

    /// The exponent of the largest finite numbers.
    var maximumExponent: Int { 1 - self.minimumExponent }

    /// The bit pattern of infinity, without a sign.
    var infinity: UInt64 { UInt64(2 * self.maximumExponent + 1) << UInt64(self.significandBits - 1) }

    /// Rounds `significand` · 2^`exponent`, and a trifle more where `isInexact`, to nearest, ties to even.
    ///
    /// The top bit of `significand` is set. Returns the bit pattern without a sign: that of infinity where the
    /// value is too large, of a subnormal number or zero where it is small.
    @inline(__always)
    func round(_ significand: UInt64, exponent: Int, isInexact: Bool) -> UInt64 {
        let leadingExponent = exponent + 63
        guard leadingExponent <= self.maximumExponent else { return self.infinity }
        let subnormalShift = max(0, self.minimumExponent - leadingExponent)
        let shift = 64 - self.significandBits + subnormalShift
        guard shift <= 64 else { return 0 }
        // Shifts by less than 64 need no check.
        let keptAndHalf = significand &>> UInt64(shift - 1)
        let kept = keptAndHalf >> 1
        let isMoreThanHalf = isInexact || significand & (1 &<< UInt64(shift - 1) &- 1) != 0
        let roundsUp = keptAndHalf & 1 == 1 && (isMoreThanHalf || kept & 1 == 1)
        // The hidden bit counts one exponent; a carry out of the significand counts the next, up to infinity.
        let biased = subnormalShift > 0 ? 0 : UInt64(leadingExponent - self.minimumExponent)
        return biased &<< UInt64(self.significandBits - 1) + kept + (roundsUp ? 1 : 0)
    }
}
