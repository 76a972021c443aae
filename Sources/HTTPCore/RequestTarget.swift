import HTTPTypes

/// A request target, brought into origin form (RFC 9112 §3.2).
struct RequestTarget {
    /// Path and query, or `*`.
    let path: String

    /// The host of a target in absolute form.
    let authority: String?

    init(_ target: UnsafeRawBufferPointer, method: HTTPRequest.Method) throws(HTTPError) {
        // RFC 9112 §3.2: no white space, control characters, 8-bit characters or fragment.
        guard target.allSatisfy(\.isTargetCharacter) else { throw .invalidTarget }
        if target.first == UInt8(ascii: "/") {
            (self.path, self.authority) = (target.string, nil)
        } else if target.count == 1, target[0] == UInt8(ascii: "*") {
            // RFC 9112 §3.2.4
            guard method == .options else { throw .invalidTarget }
            (self.path, self.authority) = ("*", nil)
        } else {
            (self.path, self.authority) = try Self.absolute(target, method: method)
        }
    }

    /// RFC 9112 §3.2.2: an origin server must accept the absolute form. Any other text is authority-form at best,
    /// which is for CONNECT only (§3.2.3).
    private static func absolute(
        _ target: UnsafeRawBufferPointer,
        method: HTTPRequest.Method
    ) throws(HTTPError) -> (path: String, authority: String?) {
        guard let colon = target.firstIndex(of: UInt8(ascii: ":")), target.count > colon + 2,
            target[colon + 1] == UInt8(ascii: "/"), target[colon + 2] == UInt8(ascii: "/")
        else { throw .invalidTarget }
        let scheme = target.slice(0..<colon)
        guard scheme.equalsIgnoringCase("http") || scheme.equalsIgnoringCase("https") else { throw .invalidTarget }
        let start = colon + 3
        let end =
            target[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? target.count
        let authority = target.slice(start..<end)
        // RFC 9110 §4.2.1: an http URI with an empty host is invalid; §4.2.4: so is user information.
        guard Authority.isValid(authority) else { throw .invalidTarget }
        let rest = target.slice(end..<target.count).string
        if rest.isEmpty {
            // RFC 9112 §3.2.4: OPTIONS on a URI without a path is about the server.
            return (method == .options ? "*" : "/", authority.string)
        }
        return (rest.utf8.first == UInt8(ascii: "/") ? rest : "/" + rest, authority.string)
    }
}
