import COpenSSL
import Glibc

/// TLS over the socket of a probe, whose time-outs bound each call.
///
/// The server's certificate is not judged: a probe asks whether the server answers, over the machine's own loopback as a
/// rule, and tells it nothing that others should not know.
final class ProbeTLS {
    private let context: OpaquePointer
    private let ssl: OpaquePointer

    /// - Parameter identity: PEM files of a certificate and its key, shown to a server that wants to see one.
    init(over socket: Int32, showing identity: (certificate: String, key: String)?) throws(HealthProbe.Failure) {
        // The library writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("TLS cannot be set up") }
        guard let ssl = SSL_new(context) else {
            SSL_CTX_free(context)
            throw Self.failure("TLS cannot be set up")
        }
        (self.context, self.ssl) = (context, ssl)
        if let identity {
            guard SSL_use_certificate_chain_file(ssl, identity.certificate) == 1,
                SSL_use_PrivateKey_file(ssl, identity.key, SSL_FILETYPE_PEM) == 1
            else { throw Self.failure("the certificate and key of the environment cannot be used") }
        }
        guard SSL_set_fd(ssl, socket) == 1, SSL_connect(ssl) == 1 else { throw Self.failure("TLS handshake") }
    }

    deinit {
        SSL_free(self.ssl)
        SSL_CTX_free(self.context)
    }

    func send(_ bytes: [UInt8]) -> Int {
        Int(SSL_write(self.ssl, bytes, Int32(bytes.count)))
    }

    func receive(into bytes: inout [UInt8]) throws(HealthProbe.Failure) -> Int {
        let count = Int(SSL_read(self.ssl, &bytes, Int32(bytes.count)))
        if count <= 0, SSL_get_error(self.ssl, Int32(count)) != SSL_ERROR_ZERO_RETURN { throw Self.failure("receive") }
        return count
    }

    private static func failure(_ operation: String) -> HealthProbe.Failure {
        let reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) }
        ERR_clear_error()
        return HealthProbe.Failure(reason: reason.map { "\(operation): \($0)" } ?? operation)
    }
}
