import AlignedMemory

extension HTTPConnection {
    /// No more unwanted content is thrown away.
    private static let maxDiscardedBytes = 64 << 10

    mutating func readHead(at now: MonotonicTime) throws(HTTPError) -> Step? {
        if !self.parser.hasBegun {
            self.input.take(RequestHeadParser.emptyLineBytes(in: self.input.bytes))
            if self.input.isEmptyLineOrLess { return try self.receiveStep(.input) }
            self.headBeganAt = now
            self.waitingSince = now
        }
        guard let head = try self.parser.parse(self.input.bytes) else { return try self.receiveStep(.input) }
        self.input.take(head.byteCount)
        self.exchange = Exchange(head: head, firstByteAt: self.headBeganAt, lastByteAt: now)
        if self.isDraining || !head.isPersistent { self.closesAfterReply = true }
        self.countRequest()
        self.phase = .admission
        return nil
    }

    /// The responder has judged the head.
    public mutating func admitted(_ admission: HTTPAdmission, at now: MonotonicTime, date: HTTPDate) {
        guard var exchange = self.exchange else { preconditionFailure("a head is there") }
        switch admission {
        case .receive(let bodyOffset, let inlineLimit):
            precondition((0..<AlignedBuffer.alignment).contains(bodyOffset), "the offset is within a cache line")
            // RFC 9110 §15.5.16. Not before the responder has judged: whom a 404 awaits learns nothing from a 415.
            guard exchange.head.contentEncoding.isSupported else { return self.refuse(.unsupportedContentCoding) }
            (exchange.bodyOffset, exchange.inlineLimit) = (bodyOffset, inlineLimit)
            switch exchange.head.framing {
            case .none: self.phase = .dispatch
            case .length, .chunked: self.phase = .allocation
            }
            self.chunks = exchange.head.framing == .chunked ? ChunkedDecoder(limits: self.limits) : nil
            self.exchange = exchange
        case .answer(let reply):
            self.refuseContent()
            self.answered(reply, at: now, date: date)
        }
    }

    /// The last request that the connection may have is told so.
    private mutating func countRequest() {
        self.requestCount += 1
        guard self.requestCount == self.limits.maxRequestsPerConnection, !self.closesAfterReply else { return }
        self.metrics[.requestsPerConnection].add()
        self.closesAfterReply = true
    }

    /// Decides between throwing the content away and closing (RFC 9112 §9.3: one of them must be).
    private mutating func refuseContent() {
        switch self.exchange?.head.framing {
        case .length(let count)
        where count <= Self.maxDiscardedBytes && self.exchange?.head.expectsContinue == false:
            self.exchange?.unwantedCount = count
        case .length, .chunked:
            self.closesAfterReply = true
        case nil, .some(.none):
            break
        }
    }

    /// Throws away what is left of unwanted content, then turns to the next request.
    mutating func discardStep(_ count: Int, at now: MonotonicTime) throws(HTTPError) -> Step? {
        let taken = min(count, self.input.bytes.count)
        self.input.take(taken)
        self.phase = .discard(count - taken)
        if taken == count {
            self.beginHead(at: now)
            return nil
        }
        return try self.receiveStep(.input)
    }
}
