/// A 16-bit float with the exponent range of `Float`: its upper half.
public struct BFloat16: BitwiseCopyable, Hashable, Sendable {
    public var bitPattern: UInt16

    public init(bitPattern: UInt16) {
        self.bitPattern = bitPattern
    }

    /// Rounds to nearest, ties to even. NaN stays NaN, quiet; too large becomes infinite.
    public init(_ value: Float) {
        let bits = value.bitPattern
        if value.isNaN {
            self.bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
        } else {
            let lastKeptBit = (bits >> 16) & 1
            self.bitPattern = UInt16(truncatingIfNeeded: (bits + 0x7fff + lastKeptBit) >> 16)
        }
    }
}

extension Float {
    /// Exact.
    public init(_ value: BFloat16) {
        self.init(bitPattern: UInt32(value.bitPattern) << 16)
    }
}
