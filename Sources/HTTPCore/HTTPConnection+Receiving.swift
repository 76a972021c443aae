import AlignedMemory
import Glibc

extension HTTPConnection {
    /// From so many bytes of a chunk on they are read straight into the body's memory.
    private static let directReadThreshold = 4 << 10
    /// No single read takes more, so that other connections get their turn.
    private static let maxReadBytes = 1 << 20
    /// Content of a known length gets its memory at once, which costs nothing until it is touched; the right to
    /// touch it grows from here by doubling. For other content the memory itself does.
    private static let initialReservation = 64 << 10
    /// From so much content on huge pages are worth their while; before that one touch would take more than was
    /// reserved.
    private static let hugePageReservation = 2 << 20

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
            self.releaseMemory()
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

    /// How many bytes of content there may be next, and how many the memory must have room for by then.
    private func wanted(of exchange: Exchange) -> (reserved: Int, room: Int) {
        let doubled = max(exchange.reservedCount * 2, Self.initialReservation)
        switch exchange.head.framing {
        case .none: return (0, 0)
        case .length(let count) where exchange.head.contentEncoding.coding == nil:
            // Not for the sake of a small rest, which would cost a read of its own.
            return (count <= doubled / 4 * 5 ? count : doubled, count)
        case .length, .chunked:
            let count = min(doubled, self.limits.maxBodyBytes)
            return (count, count)
        }
    }

    mutating func allocationStep() -> Step? {
        guard let exchange else { preconditionFailure("a head is there") }
        let (reserved, room) = self.wanted(of: exchange)
        // Content for which there is no room now is refused before any of it is sent.
        if exchange.buffer == nil, !self.metrics.memory.hasRoom(for: room) {
            self.refuseForWantOfMemory()
            return nil
        }
        return .allocate(
            capacity: exchange.bodyOffset + room,
            reservation: reserved + (exchange.head.contentEncoding.coding == nil ? 0 : Inflater.memory),
            growing: exchange.buffer
        )
    }

    /// `buffer` has at least the size that the last `allocate` step asked for.
    public mutating func provided(_ buffer: AlignedBuffer, at now: MonotonicTime) {
        guard var exchange = self.exchange else { preconditionFailure("a head is there") }
        let isFirst = exchange.buffer == nil
        exchange.reservedCount = self.wanted(of: exchange).reserved
        exchange.buffer = buffer
        self.exchange = exchange
        self.phase = .content
        if exchange.reservedCount > Self.hugePageReservation { buffer.useHugePages() }
        guard isFirst else { return }
        if let coding = exchange.head.contentEncoding.coding {
            do throws(AllocationError) {
                self.inflater = try Inflater(coding)
            } catch {
                return self.refuse(.overloaded)
            }
        }
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
        guard let buffer = self.exchange?.buffer, let reservedCount = self.exchange?.reservedCount,
            let framing = self.exchange?.head.framing
        else { preconditionFailure("memory is there") }
        if let inflater { return try self.inflateContent(inflater, into: buffer, at: now) }
        guard case .length(let count) = framing else { return try self.readChunks(into: buffer, at: now) }
        self.moveContent(into: buffer, atMost: reservedCount - self.receivedCount, at: now)
        let remaining = reservedCount - self.receivedCount
        if remaining == 0 {
            self.phase = reservedCount == count ? .dispatch : .allocation
            return nil
        }
        return try self.receiveContent(remaining, into: buffer)
    }

    private mutating func readChunks(into buffer: AlignedBuffer, at now: MonotonicTime) throws(HTTPError) -> Step? {
        // In place: a copy of the decoder for each tiny chunk would cost more than the chunk.
        while let count = try self.chunks?.readFraming(self.input.bytes) {
            self.input.take(count)
            if self.chunks?.isDone == true {
                self.exchange?.lastByteAt = now
                self.phase = .dispatch
                return nil
            }
            guard self.chunks?.isInData == true, let dataRemaining = self.chunks?.dataRemaining else { break }
            let room = self.contentRoom
            guard room > 0 else {
                self.phase = .allocation
                return nil
            }
            let wanted = min(dataRemaining, room)
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
        let bytes = self.input.bytes
        let count = min(limit, bytes.count)
        guard count > 0, let source = bytes.baseAddress else { return }
        (buffer.baseAddress + self.contentEnd).copyMemory(from: source, byteCount: count)
        self.input.take(count)
        self.noteContent(count, at: now)
    }

    private mutating func noteContent(_ count: Int, at now: MonotonicTime) {
        self.exchange?.receivedCount += count
        self.chunks?.skipData(count)
        self.exchange?.lastByteAt = now
        self.bodyBytesInSpan += count
    }

    private mutating func receiveContent(_ count: Int, into buffer: AlignedBuffer) throws(HTTPError) -> Step? {
        guard !self.inputHasEnded else { return try self.receiveStep(.body) }
        self.receiveTarget = .body
        return .receive(self.contentSpace(in: buffer, atMost: min(count, Self.maxReadBytes)))
    }

    private var receivedCount: Int { self.exchange?.receivedCount ?? 0 }

    /// Where in its memory the next byte of content goes.
    private var contentEnd: Int { (self.exchange?.bodyOffset ?? 0) + self.receivedCount }

    /// How much more content its memory may hold by now.
    var contentRoom: Int { (self.exchange?.reservedCount ?? 0) - self.receivedCount }

    /// Whether that is all it may ever hold.
    var isAtBodyLimit: Bool { self.exchange?.reservedCount == self.limits.maxBodyBytes }

    /// The place of the next bytes of content.
    func contentSpace(in buffer: AlignedBuffer, atMost count: Int) -> UnsafeMutableRawBufferPointer {
        let start = self.contentEnd
        return buffer[start..<start + count]
    }
}
