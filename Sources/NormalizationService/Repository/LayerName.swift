/// The name of a registered layer: 1 to 128 of `A-Z a-z 0-9 . _ -`, the first of them no dot (API section 6).
///
/// Such a name is also a file name without surprises, and stands in a path as it is.
struct LayerName: Hashable, Sendable {
    let text: String

    private static let maximumLength = 128

    init?(_ text: String) {
        guard 1...Self.maximumLength ~= text.utf8.count, text.utf8.first != UInt8(ascii: "."),
            text.utf8.allSatisfy(\.isLayerNameCharacter)
        else { return nil }
        self.text = text
    }

    /// The rule in words.
    static let rule = "a name is 1 to 128 of A-Z a-z 0-9 . _ and -, and does not begin with a dot"
}

extension LayerName: Comparable, CustomStringConvertible {
    var description: String { self.text }

    static func < (name: Self, other: Self) -> Bool { name.text < other.text }
}

extension UInt8 {
    fileprivate var isLayerNameCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
