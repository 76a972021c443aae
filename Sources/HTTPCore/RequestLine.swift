import HTTPTypes

/// A request-line, taken apart and judged (RFC 9112 §3).
struct RequestLine {
    let method: HTTPRequest.Method

    /// Path and query, or `*`.
    let path: String

    /// The host of a target in absolute form.
    let authority: String?

    let version: HTTPVersion

    /// - Parameter line: without its line end.
    init(_ line: UnsafeRawBufferPointer) throws(HTTPError) {
        // RFC 9112 §3: exactly two single spaces; the lenient reading of other white space is not taken.
        guard
            let methodEnd = line.firstIndex(of: .space),
            let targetEnd = line[(methodEnd + 1)...].firstIndex(of: .space),
            methodEnd > 0, targetEnd > methodEnd + 1
        else { throw .malformedRequestLine }
        let method = line.slice(0..<methodEnd)
        // RFC 9110 §9.1: a method is a token.
        guard method.allSatisfy(\.isTokenCharacter) else { throw .malformedRequestLine }
        self.version = try Self.version(line.slice(targetEnd + 1..<line.count))
        // RFC 9110 §9.1: methods are case-sensitive; an unknown one is not implemented.
        guard let known = Self.knownMethod(method) else { throw .unsupportedMethod }
        self.method = known
        let target = try RequestTarget(line.slice(methodEnd + 1..<targetEnd), method: known)
        (self.path, self.authority) = (target.path, target.authority)
    }

    private static func version(_ text: UnsafeRawBufferPointer) throws(HTTPError) -> HTTPVersion {
        // RFC 9112 §2.3: "HTTP/" DIGIT "." DIGIT, in upper case.
        let prefix: StaticString = "HTTP/"
        guard text.count == 8, (0..<5).allSatisfy({ text[$0] == prefix.utf8Start[$0] }),
            text[5].isDigit, text[6] == UInt8(ascii: "."), text[7].isDigit
        else { throw .malformedRequestLine }
        // RFC 9110 §15.6.6 and §2.5
        guard text[5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        return text[7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    /// CONNECT is not among them: RFC 9110 §9.3.6 leaves it to proxies.
    private static func knownMethod(_ text: UnsafeRawBufferPointer) -> HTTPRequest.Method? {
        switch text.string {
        case "GET": .get
        case "POST": .post
        case "HEAD": .head
        case "PUT": .put
        case "DELETE": .delete
        case "OPTIONS": .options
        case "PATCH": .patch
        case "TRACE": .trace
        // draft-ietf-httpbis-safe-method-w-body
        case "QUERY": HTTPRequest.Method("QUERY")
        default: nil
        }
    }
}
