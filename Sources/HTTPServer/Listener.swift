import CSystem
import Dispatch
import Glibc
import Synchronization

/// Accepts connections and hands them to the loops in turn.
final class Listener: Sendable {
    /// How long accepting rests when the process or the system has no descriptor left (nginx rests 500 ms).
    private static let pause = DispatchTimeInterval.milliseconds(200)

    private static let firstDelay = DispatchTimeInterval.milliseconds(1)

    /// One turn accepts no more.
    private static let maxAcceptsPerTurn = 64

    let queue = DispatchQueue(label: "normserve.listener")
    private let socket: ListeningSocket
    private let loops: [EventLoop]
    private let handshakes: HandshakeLoops?
    private let occupancy: ConnectionOccupancy
    private let log: @Sendable (HTTPServerEvent) -> Void
    private let acceptCount = Atomic(0)
    /// Is left when the socket is closed.
    private let closing = DispatchGroup()
    private let source: Mutex<any DispatchSourceRead>
    private let wakeUp: Mutex<any DispatchSourceTimer>

    init(
        socket: ListeningSocket,
        loops: [EventLoop],
        handshakes: HandshakeLoops?,
        occupancy: ConnectionOccupancy,
        log: @escaping @Sendable (HTTPServerEvent) -> Void
    ) {
        self.socket = socket
        self.loops = loops
        self.handshakes = handshakes
        self.occupancy = occupancy
        self.log = log
        self.wakeUp = Mutex(DispatchSource.makeTimerSource(queue: self.queue))
        self.source = Mutex(DispatchSource.makeReadSource(fileDescriptor: socket.descriptor, queue: self.queue))
    }

    func start() {
        self.source.withLock { source in
            source.setEventHandler { @Sendable in self.accept() }
            self.closing.enter()
            source.setCancelHandler { @Sendable in
                // Clients whose handshake is over believe that they are connected.
                self.takeBacklog()
                self.socket.close()
                self.closing.leave()
            }
        }
        // Dispatch opens a descriptor of its own for the first timer that it finds not to be due yet. If clients had taken
        // the last one by then, no timer would ever fire. So one waits for a day that need not come; and when two others
        // have fired one after the other, it has been looked at, and clients are let in.
        self.wakeUp.withLock { timer in
            timer.schedule(deadline: .now() + .seconds(86_400), repeating: .seconds(86_400))
            timer.activate()
        }
        self.queue.asyncAfter(deadline: .now() + Self.firstDelay) {
            self.queue.asyncAfter(deadline: .now() + Self.firstDelay) { self.source.withLock { $0.activate() } }
        }
    }

    /// Begins to stop listening.
    func stop() {
        self.source.withLock { $0.cancel() }
    }

    /// Blocks until every connection accepted is with its loop, and the address is free.
    ///
    /// - Returns: whether that was before the deadline.
    func waitUntilClosed(_ deadline: DispatchTime) -> Bool {
        self.closing.wait(timeout: deadline) == .success
    }

    private func accept() {
        for _ in 0..<Self.maxAcceptsPerTurn {
            switch self.acceptOne() {
            case 0: continue
            case EINTR, ECONNABORTED: continue
            case EAGAIN: return
            case let errorNumber: return self.rest(after: errorNumber)
            }
        }
    }

    /// - Returns: 0, or why no further connection is to be accepted: an error number.
    private func acceptOne() -> Int32 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                system_accept(self.socket.descriptor, $0, &length)
            }
        }
        guard descriptor >= 0 else { return errno }
        self.assign(SocketDescriptor(descriptor), from: PeerAddress(address))
        return DescriptorReserve.contains(descriptor) ? EMFILE : 0
    }

    /// Accepts who waits; nobody can wait for ever by coming anew.
    private func takeBacklog() {
        for _ in 0..<ListeningSocket.backlog {
            guard [0, EINTR, ECONNABORTED].contains(self.acceptOne()) else { return }
        }
    }

    private func assign(_ socket: SocketDescriptor, from address: PeerAddress?) {
        guard let place = self.occupancy.enter(from: address, isSecure: self.handshakes != nil) else { return }
        socket.disableNagle()
        let number = self.acceptCount.wrappingAdd(1, ordering: .relaxed).oldValue
        let loop = self.loops[number % self.loops.count]
        guard let handshakes else { return loop.queue.async { loop.adopt(Transport(socket), as: place) } }
        handshakes.start(number, over: socket, as: place) { transport in
            loop.queue.async { loop.adopt(transport, as: place) }
        }
    }

    /// The connections that wait are not lost: they stay with the system until descriptors are free again.
    private func rest(after errorNumber: Int32) {
        self.log(.acceptingPaused(errorNumber: errorNumber))
        self.source.withLock { $0.suspend() }
        self.resumeAfterRest()
    }

    private func resumeAfterRest() {
        self.queue.asyncAfter(deadline: .now() + Self.pause) {
            let hasResumed = self.source.withLock { source in
                // A source that is suspended does not notice that it is cancelled.
                if source.isCancelled || !DescriptorReserve.isNext(after: self.socket.descriptor) {
                    source.resume()
                    return true
                }
                return false
            }
            if !hasResumed { self.resumeAfterRest() }
        }
    }
}
