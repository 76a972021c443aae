import Glibc

/// The grammar of `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2).
enum Authority {
    /// Whether `text` names a host that is not empty. The port may be empty (RFC 3986 §3.2.3).
    static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return false }
        let hostEnd: Int
        if first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")),
                Self.isAddressLiteral(text.slice(1..<bracket))
            else { return false }
            hostEnd = bracket + 1
        } else {
            hostEnd = text.firstIndex(of: UInt8(ascii: ":")) ?? text.count
            guard hostEnd > 0, Self.isName(text.slice(0..<hostEnd)) else { return false }
        }
        guard hostEnd < text.count else { return true }
        return text[hostEnd] == UInt8(ascii: ":") && text[(hostEnd + 1)...].allSatisfy(\.isDigit)
    }

    /// `reg-name`, of which an IPv4 address is a special case.
    private static func isName(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < text.count {
            if text[index].isHostCharacter {
                index += 1
            } else if text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                text[index + 1].hexadecimalValue != nil, text[index + 2].hexadecimalValue != nil
            {
                index += 3
            } else {
                return false
            }
        }
        return true
    }

    /// What stands between the brackets of an `IP-literal`.
    private static func isAddressLiteral(_ text: UnsafeRawBufferPointer) -> Bool {
        if text.first?.lowercased == UInt8(ascii: "v") {
            // IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
            guard let dot = text.firstIndex(of: UInt8(ascii: ".")), dot > 1, dot + 1 < text.count else { return false }
            return text[1..<dot].allSatisfy { $0.hexadecimalValue != nil }
                && text[(dot + 1)...].allSatisfy { $0.isHostCharacter || $0 == UInt8(ascii: ":") }
        }
        var address = in6_addr()
        return text.allSatisfy { $0.hexadecimalValue != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
            && inet_pton(AF_INET6, text.string, &address) == 1
    }
}
