import AlignedMemory
import HTTPTypes

extension HTTPConnection {
    mutating func dispatchStep(at now: MonotonicTime) -> Step? {
        guard let exchange else { preconditionFailure("a request is there") }
        self.phase = .answer
        let start = exchange.bodyOffset
        let message = HTTPRequestMessage(
            head: exchange.head.request,
            buffer: exchange.receivedCount > 0 ? exchange.buffer : nil,
            bodyRange: exchange.receivedCount > 0 ? start..<start + exchange.receivedCount : 0..<0,
            firstByteAt: exchange.firstByteAt,
            lastByteAt: exchange.lastByteAt
        )
        return .respond(message, isInline: exchange.receivedCount <= exchange.inlineLimit)
    }

    /// The responder has answered the request, or worded its refusal.
    public mutating func answered(_ reply: HTTPReply, at now: MonotonicTime, date: HTTPDate) {
        // What the reply does not send back is free at once, however slowly the client takes the reply.
        if let buffer = self.exchange?.buffer, !reply.body.contains(where: { $0.isPart(of: buffer) }) {
            self.releaseBuffer()
        }
        self.metrics.countResponse(reply.head.status)
        self.waitingSince = now
        var (content, method) = self.content(of: reply)
        // RFC 9110 §9.3.2: no content after HEAD, whatever the status.
        let isHead = self.exchange.map { $0.head.request.method == .head } ?? self.parser.isHead
        if let method, !isHead {
            self.codedContent = try? CodedContent(reply.body, by: method, memory: self.metrics.memory)
            // Where there is no room for the coding, the content goes as it is.
            if self.codedContent == nil { content.coding = nil }
        }
        self.beginOutput(reply.head, content, date)
        if self.codedContent != nil {
            self.phase = .chunk
        } else if !isHead, ResponseHeadEncoder.hasContent(reply.head.status) {
            self.output.body = reply.body
        }
    }

    /// Begins to send, with the head.
    private mutating func beginOutput(_ head: HTTPResponse, _ content: ResponseHeadEncoder.Content, _ date: HTTPDate) {
        self.output.begin()
        ResponseHeadEncoder.encode(
            head,
            content: content,
            persistence: self.persistence,
            date: date,
            into: &self.output.head
        )
        self.phase = .output
    }

    private var persistence: ResponseHeadEncoder.Persistence {
        if self.closesAfterReply { return .close }
        return self.exchange?.head.version == .http10 ? .keepAlive : .unsaid
    }

    /// `count` bytes of `output` were handed to the system.
    public mutating func sent(_ count: Int, at now: MonotonicTime) {
        guard count > 0 else { return }
        self.waitingSince = now
        self.output.advance(by: count)
        guard self.output.isEmpty else { return }
        self.output.begin()
        if case .interimOutput = self.phase {
            self.phase = .content
            self.bodyBytesInSpan = 0
            return
        }
        if let codedContent, !codedContent.isFinished {
            self.phase = .chunk
            return
        }
        self.releaseMemory()
        let unwantedCount = self.exchange?.unwantedCount ?? 0
        self.exchange = nil
        if self.closesAfterReply {
            self.input.removeAll()
            self.phase = self.inputHasEnded ? .closed : .endOfSending
        } else if unwantedCount > 0 {
            self.phase = .discard(unwantedCount)
        } else {
            self.beginHead(at: now)
        }
    }

    /// Some of what was handed to the system has reached the client.
    public mutating func clientTookOutput(at now: MonotonicTime) {
        self.waitingSince = now
    }

    mutating func beginHead(at now: MonotonicTime) {
        self.phase = .head
        self.exchange = nil
        self.parser = RequestHeadParser(limits: self.limits)
        self.waitingSince = now
        // Without memory for a small buffer the large one stays.
        try? self.input.shrink()
    }
}
