import HTTPTypes

extension HTTPConnection {
    /// Below this size a reply fits in one packet anyway.
    private static let minCodedCount = 1 << 10

    /// Decides how the content of `reply` is sent (RFC 9110 §12.5.3).
    func content(of reply: HTTPReply) -> (ResponseHeadEncoder.Content, Deflater.Method?) {
        var content = ResponseHeadEncoder.Content(count: reply.body.reduce(0) { $0 + $1.count })
        guard content.count >= Self.minCodedCount, reply.mayBeCoded, self.limits.compressionLevel > 0,
            ResponseHeadEncoder.hasContent(reply.head.status),
            !reply.head.headerFields.contains(where: { $0.name == .contentEncoding })
        else { return (content, nil) }
        // What one client gets coded another may get as it is.
        content.varies = true
        // RFC 9112 §6.1: no Transfer-Encoding to an HTTP/1.0 client.
        guard let head = self.exchange?.head, head.version == .http11, let coding = head.acceptEncoding.preferred,
            let strategy = reply.strategy(level: self.limits.compressionLevel)
        else { return (content, nil) }
        content.coding = coding
        return (content, Deflater.Method(coding: coding, level: self.limits.compressionLevel, strategy: strategy))
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
    /// How its content is best coded, judged by its largest part; `nil` if it is best sent as it is.
    fileprivate func strategy(level: Int) -> Deflater.Strategy? {
        switch self.body.max(by: { $0.count < $1.count }) {
        case .bytes(let bytes): bytes.withUnsafeBytes { Deflater.strategy(for: $0, level: level) }
        case .buffer(let buffer, let range):
            Deflater.strategy(for: UnsafeRawBufferPointer(buffer[range]), level: level)
        case nil: nil
        }
    }
}
