import HTTPTypes

extension HTTPConnection {
    /// Below this size a reply fits in one packet anyway.
    private static let minCodedCount = 1 << 10

    /// A reply for which a coding was found that its client would rather have.
    struct CodableReply {
        let reply: HTTPReply
        let content: ResponseHeadEncoder.Content
        let coding: ContentCoding
        let date: HTTPDate
    }

    /// Decides how the content of `reply` is sent (RFC 9110 §12.5.3).
    func content(of reply: HTTPReply) -> ResponseHeadEncoder.Content {
        var content = ResponseHeadEncoder.Content(count: reply.body.reduce(0) { $0 + $1.count })
        guard content.count >= Self.minCodedCount, reply.mayBeCoded, self.limits.compressionLevel > 0,
            ResponseHeadEncoder.hasContent(reply.head.status),
            !reply.head.headerFields.contains(where: { $0.name == .contentEncoding })
        else { return content }
        // What one client gets coded another may get as it is.
        content.varies = true
        // RFC 9112 §6.1: no Transfer-Encoding to an HTTP/1.0 client.
        if let head = self.exchange?.head, head.version == .http11, let coding = head.acceptEncoding.preferred,
            reply.isWorthCoding
        {
            content.coding = coding
        }
        return content
    }

    /// Codes the reply, or sends it as it is where there is no room for the coding.
    public mutating func mayCode(_ hasRoom: Bool) {
        guard let codable = self.codableReply.take() else { preconditionFailure("a reply waits to be coded") }
        let (reply, level) = (codable.reply, self.limits.compressionLevel)
        if hasRoom, let coded = try? CodedContent(reply.body, coding: codable.coding, level: level) {
            self.beginOutput(reply.head, codable.content, codable.date)
            self.codedContent = coded
            self.phase = .chunk
        } else {
            var content = codable.content
            content.coding = nil
            self.beginOutput(reply.head, content, codable.date)
            self.output.body = reply.body
        }
    }

    /// Makes a little of the next chunk. Each time others may go first.
    mutating func chunkStep(at now: MonotonicTime) -> Step? {
        guard let codedContent else { preconditionFailure("the content is being coded") }
        guard self.yieldedAt != nil else {
            self.yieldedAt = now
            return .yield
        }
        self.yieldedAt = nil
        let chunk = codedContent.advance()
        if let buffer = self.exchange?.buffer, !codedContent.needs(buffer) { self.releaseBuffer() }
        if let chunk {
            self.output.body = [chunk]
            self.waitingSince = now
            self.phase = .output
        }
        return nil
    }
}

extension HTTPReply {
    /// Whether its content looks as if it became shorter, judged by the middle of its largest part.
    fileprivate var isWorthCoding: Bool {
        switch self.body.max(by: { $0.count < $1.count }) {
        case .bytes(let bytes): bytes.withUnsafeBytes { Deflater.shrinks($0) }
        case .buffer(let buffer, let range): Deflater.shrinks(UnsafeRawBufferPointer(buffer[range]))
        case nil: false
        }
    }
}
