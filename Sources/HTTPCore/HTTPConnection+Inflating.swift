import AlignedMemory

extension HTTPConnection {
    /// No step writes more, so that other connections get their turn.
    private static let maxInflatedBytesPerStep = 256 << 10

    /// Undoes the coding of what has arrived of the content.
    mutating func inflateContent(
        _ inflater: Inflater,
        into buffer: AlignedBuffer,
        at now: MonotonicTime
    ) throws(HTTPError) -> Step? {
        self.endPause(at: now)
        var allowance = Self.maxInflatedBytesPerStep
        while true {
            // What is due comes before further framing: so errors come in the order of the bytes.
            if !inflater.mayHoldOutput, let count = try self.chunks?.readFraming(self.input.bytes) {
                self.input.take(count)
            }
            let coded = self.codedBytes
            if coded.isEmpty, !inflater.mayHoldOutput {
                guard self.hasTakenAllCodedBytes else { return try self.receiveStep(.input) }
                // RFC 1952 §2.2, RFC 1950 §2.2: a stream is whole when its checksum has been read, and not before.
                guard inflater.hasEnded else { throw .invalidContentCoding }
                self.inflater = nil
                self.exchange?.lastByteAt = now
                self.phase = .dispatch
                return nil
            }
            guard allowance > 0 else {
                self.yieldedAt = now
                return .yield
            }
            let room = self.contentRoom
            guard room > 0 || self.isAtBodyLimit else {
                self.phase = .allocation
                return nil
            }
            let (taken, written) =
                room > 0
                ? try inflater.inflate(coded, into: self.contentSpace(in: buffer, atMost: min(room, allowance)))
                : (try inflater.inflateToNothing(coded), 0)
            allowance -= written
            self.noteInflated(written, from: taken)
        }
    }

    /// The time that the server took for itself is not held against the client.
    private mutating func endPause(at now: MonotonicTime) {
        guard let yieldedAt = self.yieldedAt.take() else { return }
        self.waitingSince = self.waitingSince + .nanoseconds(now.nanoseconds(since: yieldedAt))
    }

    /// The bytes of coded content that are there.
    private var codedBytes: UnsafeRawBufferPointer {
        let bytes = self.input.bytes
        let wanted = self.chunks?.dataToRead ?? self.codedRemaining
        return bytes.slice(0..<min(wanted, bytes.count))
    }

    private var hasTakenAllCodedBytes: Bool { self.chunks?.isDone ?? (self.codedRemaining == 0) }

    /// How much content of a known length is still to be taken.
    private var codedRemaining: Int {
        guard let exchange, case .length(let count) = exchange.head.framing else { return 0 }
        return count - exchange.codedCount
    }

    private mutating func noteInflated(_ written: Int, from taken: Int) {
        self.exchange?.receivedCount += written
        self.exchange?.codedCount += taken
        guard taken > 0 else { return }
        self.input.take(taken)
        self.chunks?.skipData(taken)
        self.bodyBytesInSpan += taken
    }
}

extension Inflater {
    /// Goes on where nothing more may be written.
    ///
    /// - Returns: how much of `input` was taken.
    fileprivate func inflateToNothing(_ input: UnsafeRawBufferPointer) throws(HTTPError) -> Int {
        var byte: UInt8 = 0
        // Only with room for a byte can it be told from one that ends here.
        let (taken, written) = try withUnsafeMutableBytes(of: &byte) { space throws(HTTPError) in
            try self.inflate(input, into: space)
        }
        // RFC 9110 §15.5.14
        guard written == 0 else { throw .bodyTooLarge }
        return taken
    }
}
