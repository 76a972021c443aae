public import AlignedMemory
public import HTTPTypes

/// What answers requests: the one place where the server and the service meet.
///
/// No method may block on anything but computation; all are called from many threads.
public protocol HTTPResponder: Sendable {
    /// Judges a request by its head, before any of its content is read (and before `100 Continue` is sent).
    func admit(_ head: HTTPRequest) -> HTTPAdmission

    /// Answers a request that was admitted and has arrived whole.
    func respond(to message: HTTPRequestMessage) -> HTTPReply

    /// Words a refusal of the server's own: bad framing, too large, too slow, overloaded.
    func reply(to problem: HTTPProblem) -> HTTPReply
}

/// What becomes of a request whose head has arrived.
public enum HTTPAdmission: Sendable {
    /// The content is received, then `respond(to:)` is called.
    ///
    /// - `bodyOffset`: where in its buffer the content begins, so that what matters within it is aligned;
    ///   0 to 63.
    /// - `inlineLimit`: a request with more content than this many bytes is answered on a worker, so that it does
    ///   not hold up the other connections of its event loop; −1 is for any, without content, too.
    case receive(bodyOffset: Int, inlineLimit: Int)

    /// The reply is sent at once, and content is never looked at: the request is refused, or has no use for any.
    case answer(HTTPReply)
}

/// A request that has arrived whole.
public struct HTTPRequestMessage: Sendable {
    public let head: HTTPRequest

    /// The memory that holds the content, with its content coding undone; the responder may change it and send it
    /// back. `nil` without content.
    public let buffer: AlignedBuffer?

    /// Where in `buffer` the content stands.
    public let bodyRange: Range<Int>

    /// When the first byte of the head was read.
    public let firstByteAt: MonotonicTime

    /// When the last byte of the content was read.
    public let lastByteAt: MonotonicTime

    public init(
        head: HTTPRequest,
        buffer: AlignedBuffer?,
        bodyRange: Range<Int>,
        firstByteAt: MonotonicTime,
        lastByteAt: MonotonicTime
    ) {
        self.head = head
        self.buffer = buffer
        self.bodyRange = bodyRange
        self.firstByteAt = firstByteAt
        self.lastByteAt = lastByteAt
    }
}

/// A whole response. The server adds `Content-Length`, `Date` and `Connection`, leaves the content out for HEAD, and
/// codes it for clients that would rather have it so.
public struct HTTPReply: Sendable {
    public var head: HTTPResponse

    /// The content, piece after piece; sent without being copied together.
    public var body: [HTTPBodyPart]

    /// Whether the content may be sent in a content coding.
    public var mayBeCoded: Bool

    public init(head: HTTPResponse, body: [HTTPBodyPart] = [], mayBeCoded: Bool = true) {
        self.head = head
        self.body = body
        self.mayBeCoded = mayBeCoded
    }
}

/// A piece of a response's content.
public enum HTTPBodyPart: Sendable {
    case bytes([UInt8])
    /// A stretch of a buffer, which is kept alive until it is sent.
    case buffer(AlignedBuffer, Range<Int>)
}
