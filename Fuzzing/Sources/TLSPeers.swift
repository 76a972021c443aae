import COpenSSL
import Glibc

@testable import HTTPServer

/// A server's session and the client at the other end of its socket, shaken hands with.
///
/// Both send the bytes 0, 1, … 250, 0, 1, … so that it can be told which of them arrive.
final class TLSPeers {
    private static let period = 251

    private let server: TLSSession
    private let client: OpaquePointer
    private let wire: SocketDescriptor

    /// What each has sent and got so far, in bytes.
    private var sentByClient = 0
    private var sentByServer = 0
    private var gotByClient = 0
    private var gotByServer = 0
    /// Whether the server has seen an end or a failure.
    private var hasEnded = false

    init(_ context: TLSContext, of client: OpaquePointer) throws {
        let (wire, socket) = try SocketDescriptor.pair()
        guard let server = TLSSession(context, over: socket), let ssl = SSL_new(client),
            let bio = SocketBIO.make(wire.rawValue)
        else { throw Exhausted() }
        (self.server, self.client, self.wire) = (server, ssl, wire)
        SSL_set_bio(ssl, bio, bio)
        SSL_set_connect_state(ssl)
        while true {
            let isDone = SSL_do_handshake(ssl) == 1
            switch server.handshake() {
            case .done where isDone: return
            case .done, .wouldBlock(.input): continue
            default: preconditionFailure("peers of good will shake hands")
            }
        }
    }

    struct Exhausted: Error {}

    deinit {
        SSL_free(self.client)
        ERR_clear_error()
    }

    /// The client sends so many bytes, if there is room for them.
    func clientSends(_ count: Int) {
        var sent = 0
        let result = Self.withPattern(from: self.sentByClient, count) {
            SSL_write_ex(self.client, $0.baseAddress, $0.count, &sent)
        }
        if result == 1 { self.sentByClient += sent }
        ERR_clear_error()
    }

    /// Somebody on the way puts bytes in between.
    func inject(_ bytes: [UInt8]) {
        _ = send(self.wire.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func clientUpdatesKey() {
        SSL_key_update(self.client, SSL_KEY_UPDATE_REQUESTED)
        ERR_clear_error()
    }

    func clientEnds(withNotice: Bool) {
        if withNotice { SSL_shutdown(self.client) } else { self.wire.endSending() }
        ERR_clear_error()
    }

    /// The client takes what there is.
    func clientReceives() {
        var bytes = [UInt8](repeating: 0, count: 1 << 12)
        var count = 0
        while SSL_read_ex(self.client, &bytes, bytes.count, &count) == 1 {
            bytes.withUnsafeBytes {
                let isSent = Self.areSent(UnsafeRawBufferPointer(rebasing: $0[..<count]), from: self.gotByClient)
                precondition(isSent, "the client's bytes")
            }
            self.gotByClient += count
        }
        precondition(self.gotByClient <= self.sentByServer, "nothing arrives that was not sent")
        ERR_clear_error()
    }

    /// The server reads once, with room for so many bytes.
    func serverReceives(_ capacity: Int) {
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { space in
            switch self.server.receive(into: space) {
            case .bytes(let count):
                precondition(!self.hasEnded, "nothing comes after the end")
                precondition(1...capacity ~= count, "what was read fits into its room")
                let bytes = UnsafeRawBufferPointer(rebasing: space[..<count])
                precondition(Self.areSent(bytes, from: self.gotByServer), "the server's bytes")
                self.gotByServer += count
                precondition(self.gotByServer <= self.sentByClient, "nothing arrives that was not sent")
            case .end, .failed: self.hasEnded = true
            case .wouldBlock: precondition(!self.hasEnded, "nothing comes after the end")
            }
        }
    }

    /// The server sends pieces of these sizes, as far as it can.
    func serverSends(_ sizes: [Int]) {
        let total = sizes.reduce(0, +)
        Self.withPattern(from: self.sentByServer, total) { bytes in
            var start = 0
            var pieces = sizes.map { size in
                defer { start += size }
                return iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress.map { $0 + start }),
                    iov_len: size
                )
            }
            if case .bytes(let count) = pieces.withUnsafeMutableBufferPointer({ self.server.send($0) }) {
                precondition(0...total ~= count, "no more is sent than there is")
                self.sentByServer += count
            }
        }
    }

    func serverCloses() {
        _ = self.server.sendCloseNotify()
    }

    private static let pattern = (0..<period * 500).map { UInt8($0 % period) }

    /// What the bytes from the `start`th on are.
    private static func withPattern<Result>(
        from start: Int,
        _ count: Int,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        self.pattern.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[start % Self.period..<start % Self.period + count]))
        }
    }

    /// Whether `bytes` are those from the `start`th on.
    private static func areSent(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
        self.withPattern(from: start, bytes.count) { expected in
            guard let expected = expected.baseAddress, let found = bytes.baseAddress else { return true }
            return memcmp(expected, found, bytes.count) == 0
        }
    }
}

extension SocketDescriptor {
    /// Two sockets, each the other end of the other; neither waits.
    static func pair() throws -> (SocketDescriptor, SocketDescriptor) {
        var descriptors: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &descriptors) == 0 else { throw TLSPeers.Exhausted() }
        return (SocketDescriptor(descriptors[0]), SocketDescriptor(descriptors[1]))
    }
}
