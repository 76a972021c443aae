import AlignedMemory
import Dispatch
import HTTPCore

/// Carries out the steps of one connection on its socket. Everything happens on the queue of its loop.
final class SocketConnection {
    private static let maxBytesPerSend = 2 << 20

    let place: ConnectionOccupancy.Place
    private let id: UInt64
    private let transport: Transport
    private let loop: EventLoop
    private var http: HTTPConnection
    private let readSource: any DispatchSourceRead
    private var writeSource: (any DispatchSourceWrite)?
    private var isReadSourceSuspended = false
    private var isAwaitingInput = true
    private var isAwaitingOutput = false
    /// Whether output is awaited for the sake of input (TLS may have to answer first).
    private var inputAwaitsOutput = false
    /// Whether the end of sending is still to be said, for want of room.
    private var owesEndOfSending = false
    private var isClosed = false
    /// Whether the client hears no more before the close: it has gone, or the close is a reset.
    private var hasGivenUp = false
    /// What the body of the current request takes from the server's budget.
    private var reservedBytes = 0
    /// What the system held of the reply when it was last asked, in bytes.
    private var unsentBytes = 0
    /// The job that answers the current request on a worker.
    private var job: UInt64?

    init(
        id: UInt64,
        place: ConnectionOccupancy.Place,
        transport: Transport,
        http: HTTPConnection,
        loop: EventLoop
    ) {
        self.id = id
        self.place = place
        self.transport = transport
        self.http = http
        self.loop = loop
        self.readSource = DispatchSource.makeReadSource(fileDescriptor: transport.socket.rawValue, queue: loop.queue)
        self.readSource.setEventHandler { [unowned self] in self.becameReadable() }
        // The descriptor may be closed, and its number given to another, only when the source has let go of it.
        self.readSource.setCancelHandler { withExtendedLifetime(transport) {} }
        self.readSource.activate()
    }

    /// Does what can be done without waiting.
    private func run(isReadable: Bool) {
        var isReadable = isReadable || self.transport.hasBufferedInput
        var turn = Turn(at: .now())
        self.isAwaitingInput = false
        while !self.isClosed {
            switch self.http.next(at: turn.now) {
            case .receive(let space):
                guard isReadable, !turn.hasEmptiedSocket || !self.http.isIdle else { return self.awaitInput() }
                guard turn.mayReceive else { return self.loop.resume(self.id) }
                switch self.transport.receive(into: space) {
                case .bytes(let count):
                    turn.now = .now()
                    turn.bytes += count
                    self.loop.metrics.receivedBytes.add(count)
                    turn.hasEmptiedSocket = count < space.count && !self.transport.hasBufferedInput
                    self.http.received(count, at: turn.now)
                case .end: self.http.receivedEnd()
                case .wouldBlock(.input): isReadable = false
                case .wouldBlock(.output):
                    self.inputAwaitsOutput = true
                    return self.awaitOutput()
                case .failed: self.giveUp()
                }
            case .admit(let head):
                guard turn.mayBegin else { return self.loop.resume(self.id) }
                turn.requests += 1
                self.http.admitted(self.loop.responder.admit(head), at: turn.now, date: self.loop.date())
            case .allocate(let capacity, let reservation, let buffer):
                self.allocate(capacity, reservation: reservation, growing: buffer, at: turn.now)
            case .recycle:
                self.recycle(at: turn.now)
            case .respond(let message, let isInline):
                guard isInline else { return self.respondOnWorker(to: message) }
                let reply = self.loop.respond(to: message)
                turn.now = .now()
                self.http.answered(reply, at: turn.now, date: self.loop.date())
            case .word(let problem):
                self.http.answered(self.loop.responder.reply(to: problem), at: turn.now, date: self.loop.date())
            case .awaitAnswer: return
            case .yield:
                turn.now = .now()
                guard turn.mayReceive else { return self.loop.resume(self.id) }
            case .send:
                guard turn.maySend else { return self.loop.resume(self.id) }
                switch self.send() {
                case .bytes(let count):
                    turn.bytes += count
                    self.loop.metrics.sentBytes.add(count)
                    self.http.sent(count, at: turn.now)
                case .wouldBlock(.output): return self.awaitOutput()
                case .wouldBlock(.input): return self.awaitInput()
                case .end, .failed: self.giveUp()
                }
            case .endSending: self.endSending()
            case .close: self.close()
            }
        }
    }

    private func send() -> SocketDescriptor.Outcome {
        self.http.output.withUnsentPieces(maxBytes: Self.maxBytesPerSend) { self.transport.send($0) }
    }

    private func giveUp() {
        self.hasGivenUp = true
        self.http.abandon()
    }

    private func resetOnClose() {
        self.hasGivenUp = true
        self.transport.socket.resetOnClose()
    }

    private func endSending() {
        self.owesEndOfSending = !self.transport.endSending()
        if self.owesEndOfSending { self.awaitOutput() }
    }
}

extension SocketConnection {
    /// Turns the connection away with a reply.
    func refuse(_ error: HTTPError) {
        self.http.refuse(error)
        self.run(isReadable: false)
    }

    /// A worker has answered the request.
    func answered(_ reply: HTTPReply) {
        self.job = nil
        self.http.answered(reply, at: .now(), date: self.loop.date())
        self.run(isReadable: false)
    }

    /// Looks at the clock, and at the client where only asking tells whether it is still there.
    func tick(at now: MonotonicTime) {
        // A reset that comes while there is no room for output is not always told.
        if self.http.awaitsAnswer || self.isAwaitingOutput, self.transport.socket.isBroken {
            self.abandon()
            return
        }
        // Dispatch tells of room only when there is much; a slow client takes its reply all the same.
        if self.isAwaitingOutput, !self.inputAwaitsOutput {
            let unsentBytes = self.transport.socket.unsentBytes
            if unsentBytes < self.unsentBytes { self.http.clientTookOutput(at: now) }
            self.unsentBytes = unsentBytes
        }
        guard self.http.tick(at: now) else { return }
        if self.isAwaitingOutput { self.resetOnClose() }
        self.run(isReadable: false)
    }

    func drain() {
        self.http.drain(at: .now())
    }

    /// Resets the connection, whatever it is doing.
    func abandon() {
        self.resetOnClose()
        self.http.abandon()
        self.run(isReadable: false)
    }

    /// Goes on after other connections had their turn.
    func resume() {
        self.run(isReadable: true)
    }

    private func respondOnWorker(to message: HTTPRequestMessage) {
        let (id, loop) = (self.id, self.loop)
        self.job = self.loop.workers.submit {
            let reply = loop.respond(to: message)
            loop.queue.async { loop.answered(id, reply) }
        }
    }

    private func allocate(_ capacity: Int, reservation: Int, growing buffer: AlignedBuffer?, at now: MonotonicTime) {
        guard self.loop.memory.reserve(reservation - self.reservedBytes) else {
            return self.http.refuseForWantOfMemory()
        }
        self.reservedBytes = reservation
        do throws(AllocationError) {
            if let buffer {
                try buffer.reserve(capacity)
                self.http.provided(buffer, at: now)
            } else {
                self.http.provided(try self.loop.pool.take(capacity: capacity), at: now)
            }
        } catch {
            self.loop.memory.release(self.reservedBytes)
            self.reservedBytes = 0
            self.http.refuseForWantOfMemory()
        }
    }

    private func recycle(at now: MonotonicTime) {
        guard let buffer = self.http.takeReleasedBuffer() else { return }
        self.loop.pool.put(buffer, at: now)
        self.giveBackBudget()
    }

    /// A job that waits is forgotten with its memory; one that runs gives its share back when it ends.
    private func giveBackBudget() {
        if let job, !self.loop.workers.cancel(job) {
            self.loop.orphan(self.id, bytes: self.reservedBytes)
        } else {
            self.loop.memory.release(self.reservedBytes)
        }
        self.job = nil
        self.reservedBytes = 0
    }

    private func close() {
        self.isClosed = true
        // RFC 9112 §9.8: the end of a connection is said before it is closed.
        if !self.hasGivenUp { _ = self.transport.tls?.sendCloseNotify() }
        self.giveBackBudget()
        self.readSource.cancel()
        // A suspended source is not cancelled before it is resumed.
        if self.isReadSourceSuspended { self.readSource.resume() }
        if let writeSource {
            writeSource.cancel()
            if !self.isAwaitingOutput { writeSource.resume() }
        }
        self.loop.remove(self.id)
    }
}

extension SocketConnection {
    private func becameReadable() {
        guard self.isAwaitingInput else {
            // What comes early stays in the socket; its event would only come again and again.
            self.readSource.suspend()
            self.isReadSourceSuspended = true
            return
        }
        self.run(isReadable: true)
    }

    private func awaitInput() {
        self.isAwaitingInput = true
        if self.isReadSourceSuspended {
            self.isReadSourceSuspended = false
            self.readSource.resume()
        }
    }

    private func becameWritable() {
        self.writeSource?.suspend()
        self.isAwaitingOutput = false
        if self.owesEndOfSending { self.endSending() }
        let isReadable = self.inputAwaitsOutput
        self.inputAwaitsOutput = false
        self.run(isReadable: isReadable)
    }

    private func awaitOutput() {
        guard !self.isAwaitingOutput else { return }
        self.isAwaitingOutput = true
        self.unsentBytes = self.transport.socket.unsentBytes
        if let writeSource { return writeSource.resume() }
        let (transport, queue) = (self.transport, self.loop.queue)
        let source = DispatchSource.makeWriteSource(fileDescriptor: transport.socket.rawValue, queue: queue)
        source.setEventHandler { [unowned self] in self.becameWritable() }
        source.setCancelHandler { withExtendedLifetime(transport) {} }
        source.activate()
        self.writeSource = source
    }
}
