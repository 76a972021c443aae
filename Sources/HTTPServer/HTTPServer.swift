public import AlignedMemory
import Dispatch
public import HTTPCore
import Synchronization

/// An HTTP/1.1 server: sockets on Dispatch, with the protocol in `HTTPConnection` and the answers from a responder.
public final class HTTPServer: Sendable {
    /// What the loops share.
    struct Services: Sendable {
        let responder: any HTTPResponder
        let limits: HTTPLimits
        let timeouts: HTTPTimeouts
        let memory: MemoryBudget
        let metrics: HTTPMetrics
        let pool: BufferPool
        let workers: WorkerPool
        let occupancy: ConnectionOccupancy
    }

    private enum State {
        case idle
        case listening(Listener)
        case stopped
    }

    private let configuration: HTTPServerConfiguration
    let services: Services
    private let loops: [EventLoop]
    private let handshakes: HandshakeLoops?
    private let log: @Sendable (HTTPServerEvent) -> Void
    private let state = Mutex(State.idle)

    /// - Parameters:
    ///   - memory: what bodies, and all that is made of them, may take over all connections.
    ///   - log: is told what an operator wants to know; called from several threads.
    public init(
        configuration: HTTPServerConfiguration,
        responder: any HTTPResponder,
        memory: MemoryBudget,
        metrics: HTTPMetrics,
        log: @escaping @Sendable (HTTPServerEvent) -> Void = { _ in }
    ) {
        let services = Services(
            responder: responder,
            limits: configuration.limits,
            timeouts: configuration.timeouts,
            memory: memory,
            metrics: metrics,
            pool: BufferPool(),
            workers: WorkerPool(count: configuration.workerCount),
            occupancy: ConnectionOccupancy(
                limit: configuration.limits.maxConnections,
                limitPerAddress: configuration.limits.maxConnectionsPerAddress,
                metrics: metrics
            )
        )
        self.configuration = configuration
        self.services = services
        self.loops = (0..<configuration.eventLoopCount).map { EventLoop("normserve.loop.\($0)", services) }
        // Strangers' handshakes may take half of the machine, never all of it.
        let handshakeLoopCount = max(1, configuration.eventLoopCount / 2)
        self.handshakes = configuration.tls.map { context in
            let loops = (0..<handshakeLoopCount).map { EventLoop("normserve.handshakes.\($0)", services) }
            return HandshakeLoops(context, loops: loops)
        }
        self.log = log
    }

    /// Begins to listen and serve, on threads of its own, until `drain` or `shutdownNow`.
    ///
    /// - Returns: where it listens, with the port that was found if 0 was asked for.
    public func start() throws(HTTPServerError) -> HTTPServerConfiguration.Address {
        let address = try self.state.withLock { state throws(HTTPServerError) in
            guard case .idle = state else { throw .alreadyStarted }
            let socket = try ListeningSocket(self.configuration.address)
            let listener = Listener(
                socket: socket,
                loops: self.loops,
                handshakes: self.handshakes,
                occupancy: self.services.occupancy,
                log: self.log
            )
            listener.start()
            state = .listening(listener)
            return socket.address
        }
        self.log(.listening(address))
        return address
    }

    /// Shows another identity to connections that come from now on, of a server that speaks TLS.
    public func use(_ context: TLSContext) {
        self.handshakes?.use(context)
    }

    private var allLoops: [EventLoop] { self.loops + (self.handshakes?.loops ?? []) }

    /// Stops listening, closes idle connections and lets the requests in work finish.
    ///
    /// - Parameter completion: is called once, on another thread, when the last connection is closed or the drain
    ///   time is over and the rest was cut off; with whether all requests were finished.
    public func drain(completion: @escaping @Sendable (Bool) -> Void) {
        let deadline = DispatchTime(uptimeNanoseconds: (.now() + self.services.timeouts.drain).nanoseconds)
        self.log(.draining)
        // First the loops: from here on each answer says that the connection ends with it.
        for loop in self.allLoops { loop.queue.async { loop.drain() } }
        let listener = self.stopListening()
        // A queue of its own: waiting must not take a thread from the workers.
        DispatchQueue(label: "normserve.drain").async {
            let isClosed = listener?.waitUntilClosed(deadline) ?? true
            let isClean = isClosed && self.services.occupancy.waitUntilEmpty(deadline)
            if !isClean {
                self.abandonAll()
                // The process may end with the completion; by then the system shall know what is to be reset.
                _ = self.services.occupancy.waitUntilEmpty(.now() + .milliseconds(100))
            }
            self.log(.stopped(clean: isClean))
            completion(isClean)
        }
    }

    /// Stops listening and cuts every connection off.
    public func shutdownNow() {
        _ = self.stopListening()
        self.abandonAll()
    }

    /// A connection that is accepted afterwards is cut off by its loop.
    private func abandonAll() {
        for loop in self.allLoops { loop.queue.async { loop.abandonAll() } }
    }

    /// - Returns: what listened until now.
    private func stopListening() -> Listener? {
        let listener = self.state.withLock { state -> Listener? in
            defer { state = .stopped }
            if case .listening(let listener) = state { return listener }
            return nil
        }
        listener?.stop()
        return listener
    }
}
