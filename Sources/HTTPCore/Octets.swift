/// Classes of octets; the text of HTTP is never decoded before it is taken apart.
extension UInt8 {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")

    /// `tchar`, RFC 9110 §5.6.2.
    var isTokenCharacter: Bool {
        switch self {
        // ! # $ % & ' * + - . ^ _ ` | ~
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }

    /// `OWS`, RFC 9110 §5.6.3: these two and no other.
    var isBlank: Bool { self == .space || self == .tab }

    /// `field-vchar`, SP or HTAB, RFC 9110 §5.5: everything but control characters.
    var isFieldCharacter: Bool { (self >= 0x20 && self != 0x7F) || self == .tab }

    /// What may stand in a request target: printable ASCII, and no fragment (RFC 9112 §3.2).
    var isTargetCharacter: Bool { self > 0x20 && self < 0x7F && self != UInt8(ascii: "#") }

    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    var hexadecimalValue: Int? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(self - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(self - UInt8(ascii: "A")) + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(self - UInt8(ascii: "a")) + 10
        default: nil
        }
    }

    /// `unreserved` or `sub-delims`, RFC 3986 §2.2 and §2.3: what a host name consists of, but for its escapes.
    var isHostCharacter: Bool {
        switch self {
        // ! $ & ' ( ) * + , - . ; = _ ~
        case 0x21, 0x24, 0x26...0x2E, 0x3B, 0x3D, 0x5F, 0x7E: true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }

    var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}

extension UnsafeRawBufferPointer {
    /// The bytes at `range`, counted from the first byte of this buffer.
    @inline(__always)
    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    /// Whether these bytes are `text`, letters of either case; `text` itself is in lower case.
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard self.count == text.utf8CodeUnitCount else { return false }
        return self.indices.allSatisfy { self[$0].lowercased == text.utf8Start[$0] }
    }

    /// Without blanks at either end.
    func trimmingBlanks() -> UnsafeRawBufferPointer {
        var (start, end) = (0, self.count)
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return self.slice(start..<end)
    }

    /// The members of a comma-separated list, trimmed; empty ones are left out (RFC 9110 §5.6.1.2).
    func forEachListMember<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        while start <= self.count {
            let end = self[start...].firstIndex(of: UInt8(ascii: ",")) ?? self.count
            let member = self.slice(start..<end).trimmingBlanks()
            if !member.isEmpty { try body(member) }
            start = end + 1
        }
    }

    var string: String { String(decoding: self, as: UTF8.self) }
}
