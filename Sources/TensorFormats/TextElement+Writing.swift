import CDecimal
import Tensors

extension FloatingTextElement {
    /// Writes NaN and the infinities as proto3's JSON mapping does, as strings: JSON has no such numbers.
    @inline(never)
    fileprivate static func writeNonFinite(
        isNaN: Bool,
        isNegative: Bool,
        to text: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        let token: StaticString = isNaN ? "\"NaN\"" : isNegative ? "\"-Infinity\"" : "\"Infinity\""
        text.update(from: token.utf8Start, count: token.utf8CodeUnitCount)
        return text + token.utf8CodeUnitCount
    }

    /// Writes the number of a format of at most 24 significant bits, given by its bit pattern and the sign bit's.
    @inline(__always)
    fileprivate static func write(
        _ pattern: UInt32,
        sign: UInt32,
        to text: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var next = text
        let magnitude = pattern & (sign - 1)
        guard magnitude < Self.format.infinity else {
            return Self.writeNonFinite(
                isNaN: magnitude > Self.format.infinity,
                isNegative: pattern & sign != 0,
                to: text
            )
        }
        // Signs are hard to predict; the minus is written over where there is none.
        next.pointee = ASCII.minus
        next += pattern & sign != 0 ? 1 : 0
        guard magnitude != 0 else {
            next.pointee = ASCII.zero
            return next + 1
        }
        return DecimalText.write(ShortestDecimal(magnitude, in: Self.format), to: next)
    }
}

extension Float {
    @inline(__always)
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        Self.write(self.bitPattern, sign: 1 << 31, to: text)
    }
}

extension Float16 {
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        Self.write(UInt32(self.bitPattern), sign: 1 << 15, to: text)
    }
}

extension BFloat16 {
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        Self.write(UInt32(self.bitPattern), sign: 1 << 15, to: text)
    }
}

extension Double {
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        guard self.isFinite else {
            return Self.writeNonFinite(isNaN: self.isNaN, isNegative: self.sign == .minus, to: text)
        }
        let length = text.withMemoryRebound(to: CChar.self, capacity: DecimalText.capacity) {
            decimal_write_double($0, DecimalText.capacity, self)
        }
        return text + length
    }
}

extension TextElement where Self: FixedWidthInteger {
    @inline(__always)
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        if self < 0 {
            text.pointee = ASCII.minus
            return DecimalText.write(UInt64(self.magnitude), to: text + 1)
        }
        return DecimalText.write(UInt64(self.magnitude), to: text)
    }
}

extension Bool {
    func write(to text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let token: StaticString = self ? "true" : "false"
        text.update(from: token.utf8Start, count: token.utf8CodeUnitCount)
        return text + token.utf8CodeUnitCount
    }
}
