import AlignedMemory
import Glibc

extension HTTPConnection {
    /// From so many bytes of a chunk on they are read straight into the body's memory.
    private static let directReadThreshold = 4 << 10
    /// No single read takes more, so that other connections get their turn.
    private static let maxReadBytes = 1 << 20
    /// The memory for chunked content grows from here by doubling.
    private static let initialChunkedCapacity = 64 << 10

    /// `count` bytes were written to the start of the space of the last `receive` step.
    public mutating func received(_ count: Int, at now: MonotonicTime) {
        switch self.receiveTarget {
        case .input: self.input.append(count)
        case .body: self.noteContent(count, at: now)
        case .nowhere: self.lingeredBytes += count
        }
    }

    /// The client has ended its sending side. It may still wait for its answer (RFC 9112 §9.6).
    public mutating func receivedEnd() {
        self.inputHasEnded = true
    }

    mutating func receiveStep(_ target: ReceiveTarget) throws(HTTPError) -> Step? {
        guard !self.inputHasEnded else {
            // RFC 9112 §8: what is not complete by now never will be, and is not handled.
            self.releaseBuffer()
            self.phase = .closed
            return nil
        }
        self.receiveTarget = target
        do throws(AllocationError) {
            return .receive(try self.input.space())
        } catch {
            throw .overloaded
        }
    }

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
        self.phase = .admission
        return nil
    }

    /// The responder has judged the head.
    public mutating func admitted(_ admission: HTTPAdmission, at now: MonotonicTime, date: HTTPDate) {
        guard var exchange = self.exchange else { preconditionFailure("a head is there") }
        switch admission {
        case .receive(let bodyOffset, let inlineLimit):
            precondition((0..<AlignedBuffer.alignment).contains(bodyOffset), "the offset is within a cache line")
            (exchange.bodyOffset, exchange.inlineLimit) = (bodyOffset, inlineLimit)
            switch exchange.head.framing {
            case .none: self.phase = .dispatch
            case .length: self.phase = .allocation
            case .chunked:
                exchange.chunks = ChunkedDecoder(limits: self.limits)
                self.phase = .allocation
            }
            self.exchange = exchange
        case .answer(let reply):
            self.refuseContent()
            self.answered(reply, at: now, date: date)
        }
    }

    /// Decides between throwing the content away and closing (RFC 9112 §9.3: one of them must be).
    private mutating func refuseContent() {
        switch self.exchange?.head.framing {
        case .length(let count)
        where count <= Self.initialChunkedCapacity && self.exchange?.head.expectsContinue == false:
            self.exchange?.unwantedCount = count
        case .length, .chunked:
            self.closesAfterReply = true
        case nil, .some(.none):
            break
        }
    }

    /// How much memory the content needs next: all that was declared, or a growing part of what is not known.
    private func wantedCount(of exchange: Exchange) -> Int {
        switch exchange.head.framing {
        case .none: 0
        case .length(let count): count
        case .chunked: min(max(exchange.reservedCount * 2, Self.initialChunkedCapacity), self.limits.maxBodyBytes)
        }
    }

    mutating func allocationStep() -> Step? {
        guard let exchange else { preconditionFailure("a head is there") }
        return .allocate(byteCount: exchange.bodyOffset + self.wantedCount(of: exchange), growing: exchange.buffer)
    }

    /// `buffer` has at least the size that the last `allocate` step asked for.
    public mutating func provided(_ buffer: AlignedBuffer, at now: MonotonicTime) {
        guard var exchange = self.exchange else { preconditionFailure("a head is there") }
        let isFirst = exchange.buffer == nil
        exchange.reservedCount = self.wantedCount(of: exchange)
        exchange.buffer = buffer
        self.exchange = exchange
        self.phase = .content
        guard isFirst else { return }
        self.waitingSince = now
        self.bodyBytesInSpan = 0
        // RFC 9110 §10.1.1: 100 may be left out once content has begun to arrive.
        if exchange.head.expectsContinue, self.input.isEmpty {
            self.output.begin()
            self.output.head.append(contentsOf: ResponseHeadEncoder.continueHead)
            self.phase = .interimOutput
        }
    }

    mutating func readContent(at now: MonotonicTime) throws(HTTPError) -> Step? {
        guard let exchange, let buffer = exchange.buffer else { preconditionFailure("memory is there") }
        if exchange.chunks != nil { return try self.readChunks(into: buffer, at: now) }
        self.moveContent(into: buffer, atMost: exchange.reservedCount - exchange.receivedCount, at: now)
        let remaining = exchange.reservedCount - (self.exchange?.receivedCount ?? 0)
        if remaining == 0 {
            self.phase = .dispatch
            return nil
        }
        return try self.receiveContent(remaining, into: buffer)
    }

    private mutating func readChunks(into buffer: AlignedBuffer, at now: MonotonicTime) throws(HTTPError) -> Step? {
        while var chunks = self.exchange?.chunks {
            let count = try chunks.readFraming(self.input.bytes)
            self.input.take(count)
            self.exchange?.chunks = chunks
            if chunks.isDone {
                self.exchange?.lastByteAt = now
                self.phase = .dispatch
                return nil
            }
            guard chunks.isInData else { break }
            let room = (self.exchange?.reservedCount ?? 0) - chunks.contentCount
            guard room > 0 else {
                self.phase = .allocation
                return nil
            }
            let wanted = min(chunks.dataRemaining, room)
            if !self.input.isEmpty {
                self.moveContent(into: buffer, atMost: wanted, at: now)
            } else if wanted >= Self.directReadThreshold {
                return try self.receiveContent(wanted, into: buffer)
            } else {
                break
            }
        }
        return try self.receiveStep(.input)
    }

    /// Copies content that came along with a head or with a chunk's framing.
    private mutating func moveContent(into buffer: AlignedBuffer, atMost limit: Int, at now: MonotonicTime) {
        guard let exchange else { preconditionFailure("a request is there") }
        let bytes = self.input.bytes
        let count = min(limit, bytes.count)
        guard count > 0, let source = bytes.baseAddress else { return }
        (buffer.baseAddress + exchange.bodyOffset + exchange.receivedCount).copyMemory(from: source, byteCount: count)
        self.input.take(count)
        self.noteContent(count, at: now)
    }

    private mutating func noteContent(_ count: Int, at now: MonotonicTime) {
        self.exchange?.receivedCount += count
        self.exchange?.chunks?.skipData(count)
        self.exchange?.lastByteAt = now
        self.bodyBytesInSpan += count
    }

    private mutating func receiveContent(_ count: Int, into buffer: AlignedBuffer) throws(HTTPError) -> Step? {
        guard let exchange, !self.inputHasEnded else { return try self.receiveStep(.body) }
        self.receiveTarget = .body
        let start = exchange.bodyOffset + exchange.receivedCount
        return .receive(buffer[start..<start + min(count, Self.maxReadBytes)])
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
