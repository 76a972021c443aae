import CDecimal

/// All digits of a positive number, however many: digit.digit… · 10^exponent.
struct DecimalExpansion {
    enum Order {
        case less
        case equal
        case greater
    }

    /// From the first significant digit on.
    private let digits: ArraySlice<UInt8>

    /// The power of ten of the first digit.
    private let exponent: Int

    /// The number written as `text`, whose first significant digit stands for 10^`exponent`.
    init(_ text: UnsafeBufferPointer<UInt8>, exponent: Int) {
        self.digits = text.prefix { !$0.isExponentMark }.filter(\.isDigit).drop { $0 == ASCII.zero }
        self.exponent = exponent
    }

    /// Exact: a finite double of an exponent above -140, as all numbers of the 16-bit formats are, has fewer than
    /// 200 digits.
    init(_ value: Double) {
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(decimal_capacity)) { buffer in
            guard let first = buffer.baseAddress else { return [UInt8]() }
            return buffer.prefix(decimal_write_scientific(first, buffer.count, value, 200)).map {
                UInt8(bitPattern: $0)
            }
        }
        self.digits = text.prefix { !$0.isExponentMark }.filter(\.isDigit)[...]
        let exponent = text.drop { !$0.isExponentMark }.dropFirst()
        let magnitude = exponent.dropFirst().reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
        self.exponent = exponent.first == ASCII.minus ? -magnitude : magnitude
    }

    func compared(to other: Self) -> Order {
        if self.exponent != other.exponent {
            return self.exponent < other.exponent ? .less : .greater
        }
        for index in 0..<max(self.digits.count, other.digits.count) {
            let (left, right) = (self.digit(index), other.digit(index))
            if left != right {
                return left < right ? .less : .greater
            }
        }
        return .equal
    }

    private func digit(_ index: Int) -> UInt8 {
        index < self.digits.count ? self.digits[self.digits.startIndex + index] : ASCII.zero
    }
}
