import CSystem
import Dispatch
import Glibc
import Synchronization

/// Accepts connections and hands them to the loops in turn.
final class Listener: Sendable {
    /// How long accepting rests when the process or the system has no descriptor left (nginx rests 500 ms).
    private static let pause = DispatchTimeInterval.milliseconds(200)

    /// One turn accepts no more.
    private static let maxAcceptsPerTurn = 64

    let queue = DispatchQueue(label: "normserve.listener")
    private let socket: ListeningSocket
    private let loops: [EventLoop]
    private let occupancy: ConnectionOccupancy
    private let log: @Sendable (HTTPServerEvent) -> Void
    private let acceptCount = Atomic(0)
    /// Is left when the socket is closed.
    private let closing = DispatchGroup()
    private let source: Mutex<any DispatchSourceRead>

    init(
        socket: ListeningSocket,
        loops: [EventLoop],
        occupancy: ConnectionOccupancy,
        log: @escaping @Sendable (HTTPServerEvent) -> Void
    ) {
        self.socket = socket
        self.loops = loops
        self.occupancy = occupancy
        self.log = log
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
        // Dispatch opens a descriptor of its own for the first timer. If clients had taken the last one by then, no
        // timer would ever fire; so nobody is let in before one has.
        self.queue.asyncAfter(deadline: .now() + .milliseconds(1)) { self.source.withLock { $0.activate() } }
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
            let descriptor = system_accept(self.socket.descriptor, nil, nil)
            if descriptor >= 0 {
                self.assign(SocketDescriptor(descriptor))
                continue
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EAGAIN: return
            default: return self.rest(after: errno)
            }
        }
    }

    /// Accepts who waits; nobody can wait for ever by coming anew.
    private func takeBacklog() {
        for _ in 0..<ListeningSocket.backlog {
            let descriptor = system_accept(self.socket.descriptor, nil, nil)
            if descriptor >= 0 {
                self.assign(SocketDescriptor(descriptor))
            } else if errno != EINTR, errno != ECONNABORTED {
                return
            }
        }
    }

    private func assign(_ socket: SocketDescriptor) {
        let admission = self.occupancy.enter()
        guard admission != .drop else { return }
        socket.disableNagle()
        let loop = self.loops[self.acceptCount.wrappingAdd(1, ordering: .relaxed).oldValue % self.loops.count]
        loop.queue.async { loop.adopt(socket, as: admission) }
    }

    /// The connections that wait are not lost: they stay with the system until descriptors are free again.
    private func rest(after errorNumber: Int32) {
        self.log(.acceptingPaused(errorNumber: errorNumber))
        self.source.withLock { $0.suspend() }
        self.queue.asyncAfter(deadline: .now() + Self.pause) { self.source.withLock { $0.resume() } }
    }
}
