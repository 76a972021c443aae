import HTTPCore

/// What a connection did since its loop came to it. It may do no more than this before the others get their turn.
struct Turn {
    private static let maxBytes = 4 << 20
    private static let maxRequests = 32
    private static let maxNanoseconds: UInt64 = 2_000_000

    private let start: MonotonicTime
    var now: MonotonicTime
    /// What was received and sent.
    var bytes = 0
    var requests = 0
    /// Whether the last read was short. Between two requests another one would only find the socket empty.
    /// Within a request it is needed: Dispatch tells of a reset once, and maybe together with the data before it.
    var hasEmptiedSocket = false

    init(at now: MonotonicTime) {
        (self.start, self.now) = (now, now)
    }

    /// What is ready to be sent is sent, however long it took to make.
    var maySend: Bool { self.bytes < Self.maxBytes }

    /// Tiny chunks cost time before they are many bytes, and so does content that is coded.
    var mayReceive: Bool { self.maySend && self.now.nanoseconds(since: self.start) < Self.maxNanoseconds }

    /// Whether another request may be taken up.
    var mayBegin: Bool { self.mayReceive && self.requests < Self.maxRequests }
}
