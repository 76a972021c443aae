import AlignedMemory
import Dispatch
import Glibc
import HTTPCore

/// A serial queue with the connections that are pinned to it.
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
    private let timeouts: HTTPTimeouts
    private let occupancy: ConnectionOccupancy
    private var connections: [UInt64: SocketConnection] = [:]
    private var lastID: UInt64 = 0
    private var ticker: (any DispatchSourceTimer)?
    private var isDraining = false
    private var isStopped = false
    private var currentDate = HTTPDate(seconds: 0)
    /// What jobs of closed connections still hold of the budget, by the connection's number.
    private var orphanedBytes: [UInt64: Int] = [:]

    init(number: Int, services: HTTPServer.Services) {
        self.queue = DispatchQueue(label: "normserve.loop.\(number)")
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
    func adopt(_ socket: SocketDescriptor, as admission: ConnectionOccupancy.Admission) {
        guard
            let http = try? HTTPConnection(
                limits: self.limits,
                timeouts: self.timeouts,
                metrics: self.metrics,
                at: .now()
            )
        else { return self.occupancy.leave(admission) }
        self.lastID += 1
        let connection = SocketConnection(id: self.lastID, admission: admission, socket: socket, http: http, loop: self)
        self.connections[self.lastID] = connection
        self.startTicking()
        if self.isStopped {
            connection.abandon()
        } else if admission == .refuse {
            connection.refuse(.overloaded)
        } else if self.isDraining {
            connection.drain()
        }
    }

    func remove(_ id: UInt64) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        self.occupancy.leave(connection.admission)
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
        for connection in Array(self.connections.values) { connection.drain() }
    }

    func abandonAll() {
        self.isStopped = true
        for connection in Array(self.connections.values) { connection.abandon() }
    }

    private func startTicking() {
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
        self.pool.evict(at: now)
        // An idle server sleeps.
        if self.connections.isEmpty, self.pool.isEmpty {
            self.ticker?.cancel()
            self.ticker = nil
        }
    }
}
