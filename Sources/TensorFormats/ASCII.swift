/// The bytes that mean something in JSON (RFC 8259 §2).
enum ASCII {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let point = UInt8(ascii: ".")
    static let zero = UInt8(ascii: "0")
    static let space = UInt8(ascii: " ")
}

extension UInt8 {
    @inline(__always)
    var isJSONSpace: Bool {
        self == 0x20 || self == 0x0a || self == 0x0d || self == 0x09
    }

    @inline(__always)
    var isDigit: Bool {
        self &- ASCII.zero < 10
    }

    /// Whether the byte is an `e` or an `E`.
    @inline(__always)
    var isExponentMark: Bool {
        self | 0x20 == UInt8(ascii: "e")
    }
}
