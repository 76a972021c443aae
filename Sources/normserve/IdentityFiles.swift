import HTTPServer

/// The files that the server's TLS identity is read from, at the start and again at each SIGHUP.
struct IdentityFiles {
    let certificate: String
    let key: String
    let clientAuthorities: String?

    /// - Returns: `nil` where TLS was not asked for.
    init?(_ options: TLSOptions) {
        guard let certificate = options.tlsCertificate, let key = options.tlsKey else { return nil }
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = options.tlsClientCa
    }

    /// Reads the files and makes the identity ready, or says which file is wrong and why.
    func load() throws(StartUpError) -> TLSContext {
        let identity = TLSIdentity(
            certificateChain: try Self.read(self.certificate, isSecret: false),
            privateKey: try Self.read(self.key, isSecret: true),
            clientAuthorities: try self.clientAuthorities.map { path throws(StartUpError) in
                try Self.read(path, isSecret: false)
            }
        )
        do throws(TLSError) {
            return try TLSContext(identity)
        } catch {
            throw StartUpError(description: "\(self.file(blamedBy: error)): \(error)")
        }
    }

    private func file(blamedBy error: TLSError) -> String {
        switch error {
        case .invalidCertificate, .library: self.certificate
        case .invalidKey, .encryptedKey, .keyMismatch: self.key
        case .invalidAuthority: self.clientAuthorities ?? self.certificate
        }
    }
}
