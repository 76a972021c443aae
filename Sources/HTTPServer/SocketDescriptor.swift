import CSystem
import Glibc

/// A socket that is closed when nobody uses it any more.
final class SocketDescriptor: Sendable {
    let rawValue: Int32

    init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        close(self.rawValue)
    }
}

extension SocketDescriptor {
    enum Direction {
        case input
        case output
    }

    /// What became of a call that may not wait.
    enum Outcome {
        case bytes(Int)
        /// The client has ended its sending side.
        case end
        /// The system would have had to wait, for input or for room for output. Through TLS either may be what the other
        /// needs.
        case wouldBlock(Direction)
        /// The connection is broken.
        case failed
    }

    func receive(into space: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = recv(self.rawValue, space.baseAddress, space.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno != EINTR { return Self.outcome(of: errno, waitingFor: .input) }
        }
    }

    func send(_ pieces: UnsafeMutableBufferPointer<iovec>) -> Outcome {
        var message = msghdr()
        message.msg_iov = pieces.baseAddress
        message.msg_iovlen = pieces.count
        while true {
            // MSG_NOSIGNAL: a client that has gone is an error of this call, not a signal to the process.
            let count = sendmsg(self.rawValue, &message, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.outcome(of: errno, waitingFor: .output) }
        }
    }

    func endSending() {
        shutdown(self.rawValue, Int32(SHUT_WR))
    }

    /// What was sent and has not reached the client, in bytes.
    var unsentBytes: Int { Int(system_unsent_bytes(self.rawValue)) }

    /// Makes the close of the socket a reset: a reply that was cut off must not look whole (RFC 9112 §8), and what
    /// the system still holds of it is freed at once.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.rawValue, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Small replies must not wait for the acknowledgement of the ones before. Fails on Unix sockets, harmlessly.
    func disableNagle() {
        var enabled: Int32 = 1
        setsockopt(self.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &enabled, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Whether the connection was reset. A client that has only ended its sending side still waits for its answer.
    var isBroken: Bool {
        var request = pollfd(fd: self.rawValue, events: 0, revents: 0)
        return poll(&request, 1, 0) > 0 && Int32(request.revents) & (POLLERR | POLLHUP) != 0
    }

    private static func outcome(of errorNumber: Int32, waitingFor direction: Direction) -> Outcome {
        errorNumber == EAGAIN || errorNumber == EWOULDBLOCK ? .wouldBlock(direction) : .failed
    }
}
