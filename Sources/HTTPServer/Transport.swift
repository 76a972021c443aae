import Glibc

/// How the bytes of a connection go over its socket: as they are, or through TLS.
struct Transport: Sendable {
    let socket: SocketDescriptor
    let tls: TLSSession?

    init(_ socket: SocketDescriptor, tls: TLSSession? = nil) {
        self.socket = socket
        self.tls = tls
    }

    /// Whether there are bytes to receive of which the socket knows nothing any more.
    var hasBufferedInput: Bool { self.tls?.hasBufferedInput ?? false }

    func receive(into space: UnsafeMutableRawBufferPointer) -> SocketDescriptor.Outcome {
        self.tls?.receive(into: space) ?? self.socket.receive(into: space)
    }

    func send(_ pieces: UnsafeMutableBufferPointer<iovec>) -> SocketDescriptor.Outcome {
        self.tls?.send(pieces) ?? self.socket.send(pieces)
    }

    /// Shuts the sending side down.
    ///
    /// - Returns: `false` if the socket has no room now for what has to be said before; then it is to be called again.
    func endSending() -> Bool {
        guard self.tls?.sendCloseNotify() ?? true else { return false }
        self.socket.endSending()
        return true
    }
}
