import HTTPCore

/// The parameters of a query: `name=value` between `&`, percent-decoded (RFC 3986 §2.1, §3.4), each name once.
///
/// A plus sign stands for itself, as RFC 3986 has it: it is part of numbers.
struct QueryParameters {
    private(set) var items: [(name: String, value: String)] = []

    /// Reads what follows the `?` of a request target.
    init(target: String) throws(HTTPProblem) {
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        try self.init(mark.map { target[target.utf8.index(after: $0)...] } ?? "")
    }

    /// Reads a query without its `?`.
    init(_ query: Substring) throws(HTTPProblem) {
        var names: Set<String> = []
        for item in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "".utf8[...])
            else {
                throw HTTPProblem(
                    .invalidQuery,
                    "the query is not percent-encoded UTF-8; '%' must be followed by two hexadecimal digits"
                )
            }
            guard Self.isName(name) else { throw Self.unknownParameter(String(Substring(parts[0]))) }
            guard names.insert(name).inserted else {
                throw HTTPProblem(.invalidQuery, "the query has the parameter \(name) twice")
            }
            self.items.append((name, value))
        }
    }

    /// Takes a parameter out; nil where it is not there.
    mutating func take(_ name: String) -> String? {
        guard let index = self.items.firstIndex(where: { $0.name == name }) else { return nil }
        return self.items.remove(at: index).value
    }

    /// The refusal of a name that means nothing here; of a long one the beginning is shown.
    static func unknownParameter(_ name: String, _ hint: String = "") -> HTTPProblem {
        // It has come percent-encoded, and is printable so.
        HTTPProblem(.unknownMember, "unknown query parameter '\(name.prefix(64))'\(hint)")
    }

    /// Whether it may be the name of a parameter: letters, digits and underscores, and not many.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// The text with its escapes undone; nil where one is cut, or the bytes are no UTF-8.
    private static func decoded(_ text: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexadecimal),
                let low = rest.popFirst().flatMap(Self.hexadecimal)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
