import Dispatch
import HTTPCore

/// The TLS handshake of one connection. Everything happens on the queue of its loop.
///
/// The arithmetic of a handshake takes up to a millisecond. So it has loops of its own: connections that are served do not
/// wait for it, and those who come in crowds wait for each other only.
final class Handshake {
    let id: UInt64
    let place: ConnectionOccupancy.Place
    let socket: SocketDescriptor
    let session: TLSSession
    let completion: @Sendable (Transport) -> Void
    var deadline: MonotonicTime

    private let loop: EventLoop
    private let source: any DispatchSourceRead
    /// Whether the client has to make room before the handshake can go on. It hardly ever comes to that.
    private var isAwaitingOutput = false

    init(
        id: UInt64,
        place: ConnectionOccupancy.Place,
        socket: SocketDescriptor,
        session: TLSSession,
        deadline: MonotonicTime,
        loop: EventLoop,
        completion: @escaping @Sendable (Transport) -> Void
    ) {
        self.id = id
        self.place = place
        self.socket = socket
        self.session = session
        self.deadline = deadline
        self.loop = loop
        self.completion = completion
        self.source = DispatchSource.makeReadSource(fileDescriptor: socket.rawValue, queue: loop.queue)
        self.source.setEventHandler { [unowned self] in self.advance() }
        // The descriptor may be closed, and its number given to another, only when the source has let go of it.
        self.source.setCancelHandler { withExtendedLifetime(socket) {} }
        self.source.activate()
    }

    /// Goes on as far as it can.
    func advance() {
        let outcome = self.session.handshake()
        switch outcome {
        case .wouldBlock(.input): break
        case .wouldBlock(.output):
            // What the client sends meanwhile must not wake it again and again; the clock will.
            self.isAwaitingOutput = true
            self.source.suspend()
        case .done, .failed: self.end(outcome)
        }
    }

    /// Tries again if it waits for room.
    func tick() {
        guard self.isAwaitingOutput else { return }
        self.isAwaitingOutput = false
        self.source.resume()
        self.advance()
    }

    func end(_ outcome: TLSSession.HandshakeOutcome) {
        // A suspended source is not cancelled before it is resumed.
        if self.isAwaitingOutput { self.source.resume() }
        self.source.cancel()
        self.loop.ended(self, outcome)
    }
}
