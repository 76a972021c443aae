/// An unevaluated sum of two FP64 numbers, good for about 31 digits.
///
/// Dekker 1971; Hida, Li and Bailey 2001, "Algorithms for quad-double precision floating point arithmetic". What the
/// references are computed in, so that results in FP64 can be held against them to their last digits.
package struct DoubleDouble: Sendable {
    /// The nearest FP64 number.
    package let high: Double

    /// What it leaves; not more than half a unit in its last place.
    package let low: Double

    package init(_ value: Double) {
        self.high = value
        self.low = 0
    }

    /// The sum of two numbers, of which the first is not the smaller one.
    private init(_ large: Double, plus small: Double) {
        let sum = large + small
        self.high = sum
        // An infinity leaves nothing, and not a NaN.
        self.low = sum.isFinite ? small - (sum - large) : 0
    }

    package static func + (a: Self, b: Self) -> Self {
        let sum = Self.sum(a.high, b.high)
        let lows = Self.sum(a.low, b.low)
        let first = Self(sum.high, plus: sum.low + lows.high)
        return Self(first.high, plus: first.low + lows.low)
    }

    package static func - (a: Self, b: Self) -> Self { a + -b }

    package static prefix func - (a: Self) -> Self { Self(-a.high, plus: -a.low) }

    package static func * (a: Self, b: Self) -> Self {
        let product = a.high * b.high
        let error = product.isFinite ? (-product).addingProduct(a.high, b.high) : 0
        return Self(product, plus: error + (a.high * b.low + a.low * b.high))
    }

    package static func / (a: Self, b: Self) -> Self {
        // Long division: each digit is the quotient of what is left.
        let first = a.high / b.high
        guard first.isFinite, b.high.isFinite else { return Self(first) }
        let rest = a - b * Self(first)
        let second = rest.high / b.high
        let third = (rest - b * Self(second)).high / b.high
        return Self(first, plus: second) + Self(third)
    }

    package func squareRoot() -> Self {
        let root = self.high.squareRoot()
        guard root.isFinite, root > 0 else { return Self(root) }
        // One step of Newton's iteration doubles the digits.
        let rest = self - Self(root) * Self(root)
        return Self(root, plus: rest.high / (2 * root))
    }

    package var magnitude: Self { self.high < 0 ? -self : self }

    /// Two FP64 numbers, with nothing lost (Knuth's TwoSum).
    private static func sum(_ a: Double, _ b: Double) -> (high: Double, low: Double) {
        let sum = a + b
        guard sum.isFinite else { return (sum, 0) }
        let part = sum - a
        return (sum, (a - (sum - part)) + (b - part))
    }
}

extension DoubleDouble: Comparable {
    package static func < (a: Self, b: Self) -> Bool {
        a.high < b.high || (a.high == b.high && a.low < b.low)
    }
}

extension DoubleDouble: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    package init(floatLiteral value: Double) {
        self.init(value)
    }

    package init(integerLiteral value: Int) {
        self.init(Double(value))
    }
}

extension Sequence<DoubleDouble> {
    package func sum() -> DoubleDouble {
        self.reduce(0, +)
    }
}
