import COpenSSL
import Glibc
import HTTPCore

/// TLS over the socket of a probe, up to its deadline.
///
/// The server's certificate is not judged: a probe asks whether the server answers, over the machine's own loopback as a
/// rule, and tells it nothing that others should not know.
final class ProbeTLS {
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let socket: Int32
    private let deadline: MonotonicTime

    /// - Parameter identity: PEM files of a certificate and its key, shown to a server that wants to see one.
    init(
        over socket: Int32,
        until deadline: MonotonicTime,
        showing identity: (certificate: String, key: String)?
    ) throws(HealthProbe.Failure) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("TLS cannot be set up") }
        guard let ssl = SSL_new(context) else {
            SSL_CTX_free(context)
            throw Self.failure("TLS cannot be set up")
        }
        (self.context, self.ssl, self.socket, self.deadline) = (context, ssl, socket, deadline)
        if let identity {
            guard SSL_use_certificate_chain_file(ssl, identity.certificate) == 1,
                SSL_use_PrivateKey_file(ssl, identity.key, SSL_FILETYPE_PEM) == 1
            else { throw Self.failure("the certificate and key of the environment cannot be used") }
        }
        // Each call of the library may read many times: it is the probe that waits, and looks at the clock.
        guard fcntl(socket, F_SETFL, O_NONBLOCK) == 0, SSL_set_fd(ssl, socket) == 1 else {
            throw Self.failure("TLS cannot be set up")
        }
        _ = try self.finish("TLS handshake") { SSL_connect(ssl) }
    }

    deinit {
        SSL_free(self.ssl)
        SSL_CTX_free(self.context)
    }

    func send(_ bytes: [UInt8]) throws(HealthProbe.Failure) -> Int {
        try self.finish("send") { SSL_write(self.ssl, bytes, Int32(bytes.count)) }
    }

    func receive(into bytes: inout [UInt8]) throws(HealthProbe.Failure) -> Int {
        let capacity = Int32(bytes.count)
        return try self.finish("receive") { SSL_read(self.ssl, &bytes, capacity) }
    }

    /// Repeats `call` until it is done with what it does.
    ///
    /// - Returns: what it returned; 0 at the end of the stream.
    private func finish(_ operation: String, _ call: () -> Int32) throws(HealthProbe.Failure) -> Int {
        while true {
            ERR_clear_error()
            let result = call()
            guard result <= 0 else { return Int(result) }
            switch SSL_get_error(self.ssl, result) {
            case SSL_ERROR_WANT_READ: try self.wait(for: POLLIN)
            case SSL_ERROR_WANT_WRITE: try self.wait(for: POLLOUT)
            case SSL_ERROR_ZERO_RETURN: return 0
            default: throw Self.failure(operation)
            }
        }
    }

    private func wait(for event: Int32) throws(HealthProbe.Failure) {
        let milliseconds = self.deadline.nanoseconds(since: .now()) / 1_000_000
        var request = pollfd(fd: self.socket, events: Int16(event), revents: 0)
        guard milliseconds > 0, poll(&request, 1, Int32(clamping: milliseconds)) != 0 else {
            throw HealthProbe.Failure(reason: "no answer in time")
        }
    }

    private static func failure(_ operation: String) -> HealthProbe.Failure {
        let reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) }
        ERR_clear_error()
        return HealthProbe.Failure(reason: reason.map { "\(operation): \($0)" } ?? operation)
    }
}
