/// An element that takes integers without fraction and exponent.
extension TextElement where Self: FixedWidthInteger {
    @inline(__always)
    static func read(_ cursor: inout ElementCursor) throws(ElementFault) -> Self {
        var next = cursor.next
        let isNegative = next.pointee == ASCII.minus
        if isNegative {
            next += 1
        }
        guard next.pointee.isDigit else { throw cursor.fault() }
        let digits = next
        var magnitude: UInt64 = 0
        var overflows = false
        while next.pointee.isDigit {
            let (product, isLarge) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = product.addingReportingOverflow(UInt64(next.pointee &- ASCII.zero))
            overflows = overflows || isLarge || isLarger
            magnitude = sum
            next += 1
        }
        // RFC 8259 §6: int = zero / ( digit1-9 *DIGIT )
        guard digits.pointee != ASCII.zero || next - digits == 1 else { throw .malformed(.leadingZero) }
        guard next.pointee != ASCII.point, !next.pointee.isExponentMark else {
            // What looks like a number but is none is a fault of grammar.
            _ = try DecimalNumber(&cursor)
            throw .fraction
        }
        cursor.next = next
        let limit = UInt64(Self.max) + (isNegative && Self.isSigned ? 1 : 0)
        guard !overflows, magnitude <= limit, !isNegative || Self.isSigned || magnitude == 0 else {
            throw .outOfRange
        }
        let pattern = Self(truncatingIfNeeded: magnitude)
        return isNegative ? 0 &- pattern : pattern
    }
}

extension Int: TextElement {}
extension Int8: TextElement {}
extension Int16: TextElement {}
extension Int32: TextElement {}
extension Int64: TextElement {}
extension UInt8: TextElement {}
extension UInt16: TextElement {}
extension UInt32: TextElement {}
extension UInt64: TextElement {}

extension Bool: TextElement {
    /// Takes `true`, `false`, 0 and 1.
    @inline(__always)
    static func read(_ cursor: inout ElementCursor) throws(ElementFault) -> Bool {
        if cursor.skip("true") {
            return true
        }
        if cursor.skip("false") {
            return false
        }
        let number = try UInt8.read(&cursor)
        guard number <= 1 else { throw .outOfRange }
        return number == 1
    }
}
