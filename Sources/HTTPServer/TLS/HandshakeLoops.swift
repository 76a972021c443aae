import Synchronization

/// The loops on which TLS handshakes are made, and the identity that is shown at the moment.
final class HandshakeLoops: Sendable {
    let loops: [EventLoop]
    private let context: Mutex<TLSContext>

    init(_ context: TLSContext, loops: [EventLoop]) {
        self.context = Mutex(context)
        self.loops = loops
    }

    /// Shows another identity from the next handshake on. Connections that are there keep theirs.
    func use(_ context: TLSContext) {
        self.context.withLock { $0 = context }
    }

    /// Begins the handshake of the connection that was accepted as the `number`th.
    func start(
        _ number: Int,
        over socket: SocketDescriptor,
        as place: ConnectionOccupancy.Place,
        then completion: @escaping @Sendable (Transport) -> Void
    ) {
        let context = self.context.withLock { $0 }
        let loop = self.loops[number % self.loops.count]
        loop.queue.async { loop.startHandshake(context, over: socket, as: place, then: completion) }
    }
}
