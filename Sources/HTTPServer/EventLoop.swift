import AlignedMemory
import CSystem
import Dispatch
import Glibc
import HTTPCore

/// A serial queue with the connections, or the TLS handshakes, that are pinned to it.
// @unchecked: everything mutable is touched on `queue` only; others reach it with `queue.async`.
final class EventLoop: @unchecked Sendable {
    /// How often the clock is looked at on behalf of all connections; no deadline is finer.
    private static let tickInterval = DispatchTimeInterval.milliseconds(100)

    let queue: DispatchQueue
    let responder: any HTTPResponder
    let memory: MemoryBudget
    let metrics: HTTPMetrics
    let pool: BufferPool
    let workers: WorkerPool

    private let limits: HTTPLimits
    let timeouts: HTTPTimeouts
    let occupancy: ConnectionOccupancy
    var handshakes: [UInt64: Handshake] = [:]
    private var connections: [UInt64: SocketConnection] = [:]
    private var lastID: UInt64 = 0
    private var ticker: (any DispatchSourceTimer)?
    private(set) var isDraining = false
    private(set) var isStopped = false
    private var currentDate = HTTPDate(seconds: 0)
    /// What jobs of closed connections still hold of the budget, by the connection's number.
    private var orphanedBytes: [UInt64: Int] = [:]

    init(_ label: String, _ services: HTTPServer.Services) {
        self.queue = DispatchQueue(label: label)
        self.responder = services.responder
        self.memory = services.memory
        self.metrics = services.metrics
        self.pool = services.pool
        self.workers = services.workers
        self.limits = services.limits
        self.timeouts = services.timeouts
        self.occupancy = services.occupancy
    }

    /// The value of the Date field; made anew once a second.
    func date() -> HTTPDate {
        let seconds = max(time(nil), 0)
        if seconds != self.currentDate.seconds { self.currentDate = HTTPDate(seconds: seconds) }
        return self.currentDate
    }

    /// Serves a connection that was just accepted, or turns it away.
    func adopt(_ transport: Transport, as place: ConnectionOccupancy.Place) {
        guard
            let http = try? HTTPConnection(
                limits: self.limits,
                timeouts: self.timeouts,
                metrics: self.metrics,
                at: .now()
            )
        else { return self.occupancy.leave(place) }
        let id = self.makeID()
        let connection = SocketConnection(id: id, place: place, transport: transport, http: http, loop: self)
        self.connections[id] = connection
        self.startTicking()
        if self.isStopped {
            connection.abandon()
        } else if place == .refused {
            connection.refuse(.overloaded)
        } else if self.isDraining {
            connection.drain()
        }
    }

    /// A number that no connection or handshake of this loop had before.
    func makeID() -> UInt64 {
        self.lastID += 1
        return self.lastID
    }

    func remove(_ id: UInt64) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        self.occupancy.leave(connection.place)
    }

    /// Has a request answered, in this thread; what is allocated for it counts as in flight.
    func respond(to message: HTTPRequestMessage) -> HTTPReply {
        MemoryBudget.$current.withValue(self.memory) { self.responder.respond(to: message) }
    }

    /// Brings a worker's reply to its connection, if that is still there.
    func answered(_ id: UInt64, _ reply: HTTPReply) {
        if let bytes = self.orphanedBytes.removeValue(forKey: id) { self.memory.release(bytes) }
        self.connections[id]?.answered(reply)
    }

    /// Remembers that a running job still uses memory of a connection that is gone.
    func orphan(_ id: UInt64, bytes: Int) {
        self.orphanedBytes[id] = bytes
    }

    /// Comes back to a connection after all others that are waiting.
    func resume(_ id: UInt64) {
        self.queue.async { self.connections[id]?.resume() }
    }

    func drain() {
        self.isDraining = true
        self.drainHandshakes()
        for connection in Array(self.connections.values) { connection.drain() }
    }

    func abandonAll() {
        self.isStopped = true
        self.abandonHandshakes()
        for connection in Array(self.connections.values) { connection.abandon() }
    }

    func startTicking() {
        guard self.ticker == nil else { return }
        let ticker = DispatchSource.makeTimerSource(queue: self.queue)
        ticker.schedule(deadline: .now() + Self.tickInterval, repeating: Self.tickInterval, leeway: .milliseconds(20))
        ticker.setEventHandler { self.tick() }
        ticker.activate()
        self.ticker = ticker
    }

    private func tick() {
        let now = MonotonicTime.now()
        for connection in Array(self.connections.values) { connection.tick(at: now) }
        self.tickHandshakes(at: now)
        self.pool.evict(at: now)
        // An idle server sleeps, and holds no more than it needs.
        if self.connections.isEmpty, self.handshakes.isEmpty, self.pool.isEmpty {
            self.ticker?.cancel()
            self.ticker = nil
            system_release_memory()
        }
    }
}
