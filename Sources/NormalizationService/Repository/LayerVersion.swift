import HTTPCore

/// The number of a registered layer's version: 1, 2, … in the order in which they were begun.
struct LayerVersion: Hashable, Sendable {
    let number: Int

    /// Far more than anybody registers, and exact in every language that reads JSON.
    private static let digitLimit = 15

    static let first = Self(number: 1)

    init(number: Int) {
        self.number = number
    }

    /// The version that `text` names as this server would write it: without leading zeros.
    init?(_ text: String) {
        guard text.utf8.count <= Self.digitLimit, text.utf8.first != UInt8(ascii: "0"),
            let number = Int(decimalDigits: text)
        else { return nil }
        self.number = number
    }

    /// The next number.
    var next: Self { Self(number: self.number + 1) }
}

extension LayerVersion: Comparable, CustomStringConvertible {
    var description: String { "\(self.number)" }

    static func < (version: Self, other: Self) -> Bool { version.number < other.number }
}
