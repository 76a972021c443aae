import COpenSSL

/// An identity made ready for handshakes: TLS 1.2 and 1.3 as RFC 9325 recommends, `http/1.1` by ALPN.
public final class TLSContext: Sendable {
    /// RFC 9325 §4.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
    private static let tls12Suites = "ECDHE+AESGCM:ECDHE+CHACHA20"

    private static let groups = "X25519:P-256:P-384"

    /// Tickets are bound to it, so that a session of this server resumes nowhere else.
    private static let sessionContext = Array("normserve".utf8)

    /// The library counts the references to it under a lock of its own; nothing here changes it after `init`.
    private nonisolated(unsafe) let context: OpaquePointer

    public init(_ identity: TLSIdentity) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .library(reason: TLSError.takeReason()) }
        self.context = context
        try self.setPolicy()
        try self.useCertificates(identity.certificateChain)
        try self.useKey(identity.privateKey)
        if let authorities = identity.clientAuthorities { try self.demandCertificates(of: authorities) }
    }

    deinit {
        SSL_CTX_free(self.context)
    }

    /// The state of one connection, which keeps the context alive.
    func makeSession() -> OpaquePointer? {
        SSL_new(self.context)
    }

    private func setPolicy() throws(TLSError) {
        // RFC 8996: TLS 1.0 and 1.1 are not to be used.
        guard openssl_set_minimum_version(self.context, TLS1_2_VERSION) == 1,
            SSL_CTX_set_cipher_list(self.context, Self.tls12Suites) == 1,
            openssl_set_groups(self.context, Self.groups) == 1,
            SSL_CTX_set_session_id_context(self.context, Self.sessionContext, UInt32(Self.sessionContext.count)) == 1
        else { throw .library(reason: TLSError.takeReason()) }
        openssl_set_server_options(self.context)
        openssl_set_nonblocking_mode(self.context)
        // Sessions are resumed by tickets, which cost the server no memory (RFC 5077, RFC 8446 §4.6.1).
        openssl_disable_session_cache(self.context)
        SSL_CTX_set_alpn_select_cb(
            self.context,
            { _, selected, selectedCount, offered, offeredCount, _ in
                let known: StaticString = "\u{8}http/1.1"
                let result = SSL_select_next_proto(
                    UnsafeMutableRawPointer(selected)?.assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self),
                    selectedCount,
                    known.utf8Start,
                    UInt32(known.utf8CodeUnitCount),
                    offered,
                    offeredCount
                )
                // RFC 7301 §3.2: a client that speaks nothing in common is told so.
                return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
            },
            nil
        )
    }

    private func useCertificates(_ pem: [UInt8]) throws(TLSError) {
        var isFirst = true
        try Self.forEachCertificate(pem, TLSError.invalidCertificate) { certificate throws(TLSError) in
            if isFirst {
                isFirst = false
                defer { X509_free(certificate) }
                guard SSL_CTX_use_certificate(self.context, certificate) == 1 else {
                    throw .invalidCertificate(reason: TLSError.takeReason())
                }
            } else if openssl_add_chain_certificate(self.context, certificate) != 1 {
                X509_free(certificate)
                throw .invalidCertificate(reason: TLSError.takeReason())
            }
        }
    }

    private func useKey(_ pem: [UInt8]) throws(TLSError) {
        guard !pem.isEmpty else { throw .invalidKey(reason: "it is empty") }
        let key = try PEMReader(pem).privateKey()
        defer { EVP_PKEY_free(key) }
        guard let certificate = SSL_CTX_get0_certificate(self.context), X509_check_private_key(certificate, key) == 1
        else {
            ERR_clear_error()
            throw .keyMismatch
        }
        guard SSL_CTX_use_PrivateKey(self.context, key) == 1 else {
            throw .invalidKey(reason: TLSError.takeReason())
        }
    }

    private func demandCertificates(of authorities: [UInt8]) throws(TLSError) {
        guard let store = SSL_CTX_get_cert_store(self.context) else {
            throw .library(reason: TLSError.takeReason())
        }
        try Self.forEachCertificate(authorities, TLSError.invalidAuthority) { authority throws(TLSError) in
            defer { X509_free(authority) }
            guard X509_STORE_add_cert(store, authority) == 1, SSL_CTX_add_client_CA(self.context, authority) == 1 else {
                throw .invalidAuthority(reason: TLSError.takeReason())
            }
        }
        SSL_CTX_set_verify(self.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// Hands over each certificate of `pem`, of which there must be one at least.
    private static func forEachCertificate(
        _ pem: [UInt8],
        _ error: (String) -> TLSError,
        _ body: (OpaquePointer) throws(TLSError) -> Void
    ) throws(TLSError) {
        guard !pem.isEmpty else { throw error("it is empty") }
        let reader = try PEMReader(pem)
        var count = 0
        while let certificate = reader.nextCertificate() {
            count += 1
            try body(certificate)
        }
        guard reader.hasEnded, count > 0 else { throw error(TLSError.takeReason()) }
        ERR_clear_error()
    }
}
