import COpenSSL
import Glibc

/// TLS over the socket of one connection. No call waits.
final class TLSSession: Sendable {
    /// What a record holds at most (RFC 8446 §5.1); what is small is put together up to this size before it is sent.
    private static let recordCapacity = 16 << 10

    private let socket: SocketDescriptor

    /// Used on one queue at a time: on that of the handshake, then on that of the connection's loop.
    private nonisolated(unsafe) let ssl: OpaquePointer

    init?(_ context: TLSContext, over socket: SocketDescriptor) {
        ERR_clear_error()
        guard let ssl = context.makeSession() else { return nil }
        guard let bio = SocketBIO.make(socket.rawValue) else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
        self.ssl = ssl
        self.socket = socket
    }

    deinit {
        SSL_free(self.ssl)
        ERR_clear_error()
    }

    /// What became of a step of the handshake.
    enum HandshakeOutcome {
        case done(isResumed: Bool)
        case wouldBlock(SocketDescriptor.Direction)
        case failed
    }

    /// Goes on with the handshake as far as it can.
    func handshake() -> HandshakeOutcome {
        ERR_clear_error()
        let result = SSL_do_handshake(self.ssl)
        if result == 1 { return .done(isResumed: SSL_session_reused(self.ssl) == 1) }
        return switch self.outcome(of: result) {
        case .wouldBlock(let direction): .wouldBlock(direction)
        default: .failed
        }
    }

    /// Whether data has been decrypted that nobody has taken, or the client's close_notify been read behind some. The
    /// socket tells of neither.
    var hasBufferedInput: Bool {
        SSL_pending(self.ssl) > 0 || SSL_get_shutdown(self.ssl) & SSL_RECEIVED_SHUTDOWN != 0
    }

    func receive(into space: UnsafeMutableRawBufferPointer) -> SocketDescriptor.Outcome {
        var count = 0
        while count < space.count {
            ERR_clear_error()
            var length = 0
            let result = SSL_read_ex(self.ssl, space.baseAddress.map { $0 + count }, space.count - count, &length)
            guard result == 1 else {
                // An end or a failure comes again with the next call.
                return count > 0 ? .bytes(count) : self.outcome(of: result)
            }
            count += length
        }
        return .bytes(count)
    }

    func send(_ pieces: UnsafeMutableBufferPointer<iovec>) -> SocketDescriptor.Outcome {
        withUnsafeTemporaryAllocation(byteCount: Self.recordCapacity, alignment: 16) { record in
            var cursor = Cursor(pieces)
            var sent = 0
            while !cursor.isAtEnd {
                ERR_clear_error()
                let bytes = cursor.next(joinedIn: record)
                var length = 0
                let result = SSL_write_ex(self.ssl, bytes.baseAddress, bytes.count, &length)
                guard result == 1 else { return sent > 0 ? .bytes(sent) : self.outcome(of: result) }
                cursor.advance(by: length)
                sent += length
            }
            return .bytes(sent)
        }
    }

    /// Says that nothing more will be sent (RFC 8446 §6.1), unless that was said before.
    ///
    /// - Returns: `false` if the socket has no room for it now.
    func sendCloseNotify() -> Bool {
        guard SSL_get_shutdown(self.ssl) & SSL_SENT_SHUTDOWN == 0 else { return true }
        ERR_clear_error()
        let result = SSL_shutdown(self.ssl)
        if result < 0, case .wouldBlock = self.outcome(of: result) { return false }
        return true
    }

    private func outcome(of result: Int32) -> SocketDescriptor.Outcome {
        switch SSL_get_error(self.ssl, result) {
        case SSL_ERROR_WANT_READ: .wouldBlock(.input)
        case SSL_ERROR_WANT_WRITE: .wouldBlock(.output)
        case SSL_ERROR_ZERO_RETURN: .end
        default: .failed
        }
    }
}

extension TLSSession {
    /// Where sending has got to among its pieces.
    private struct Cursor {
        private let pieces: UnsafeMutableBufferPointer<iovec>
        private var index = 0
        private var offset = 0

        init(_ pieces: UnsafeMutableBufferPointer<iovec>) {
            self.pieces = pieces
        }

        var isAtEnd: Bool { self.index == self.pieces.count }

        /// The bytes of one call: a piece that fills a record where it stands, smaller ones copied together. A call that
        /// is repeated from the same place finds the same bytes, as the library demands.
        func next(joinedIn record: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer {
            let first = self.bytes(of: self.index, from: self.offset)
            if first.count >= record.count || self.index + 1 == self.pieces.count { return first }
            var count = 0
            var (index, offset) = (self.index, self.offset)
            while index < self.pieces.count, count < record.count {
                let bytes = self.bytes(of: index, from: offset).prefix(record.count - count)
                UnsafeMutableRawBufferPointer(rebasing: record[count...]).copyBytes(from: bytes)
                count += bytes.count
                (index, offset) = (index + 1, 0)
            }
            return UnsafeRawBufferPointer(rebasing: record[..<count])
        }

        mutating func advance(by count: Int) {
            self.offset += count
            while self.index < self.pieces.count, self.offset >= self.pieces[self.index].iov_len {
                self.offset -= self.pieces[self.index].iov_len
                self.index += 1
            }
        }

        private func bytes(of index: Int, from offset: Int) -> UnsafeRawBufferPointer {
            let piece = self.pieces[index]
            return UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len)[offset...]
            )
        }
    }
}
