public import HTTPTypes

/// The head of a request, judged: what is in here is valid.
public struct RequestHead: Sendable {
    /// The target is in origin form (or `*`), `authority` is the host that was meant, and Host is not a field.
    public let request: HTTPRequest

    public let framing: BodyFraming

    /// How the content is coded.
    let contentEncoding: ContentEncoding

    /// How the content of the reply may be coded.
    let acceptEncoding: AcceptEncoding

    public let version: HTTPVersion

    /// Whether the client wants to go on after this request (RFC 9112 §9.3).
    public let isPersistent: Bool

    /// Whether the client waits for `100 Continue` (RFC 9110 §10.1.1).
    public let expectsContinue: Bool

    /// The length of the head on the wire, its last CRLF included.
    public let byteCount: Int
}

/// Where the content of a request ends (RFC 9112 §6.3).
public enum BodyFraming: Equatable, Sendable {
    case none
    /// More than no bytes, and no more than the limit.
    case length(Int)
    case chunked
}

/// The versions that are told apart. A later 1.x counts as 1.1 (RFC 9110 §2.5).
public enum HTTPVersion: Sendable {
    case http10
    case http11
}
