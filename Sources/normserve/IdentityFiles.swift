import HTTPServer

/// The files that the server's TLS identity is read from, at the start and again at each SIGHUP.
struct IdentityFiles {
    private static let certificateOption = "--tls-certificate"
    private static let keyOption = "--tls-key"
    private static let authoritiesOption = "--tls-client-ca"

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
            certificateChain: try StartUpError.reading(self.certificate, of: Self.certificateOption, isSecret: false),
            privateKey: try StartUpError.reading(self.key, of: Self.keyOption, isSecret: true),
            clientAuthorities: try self.clientAuthorities.map { path throws(StartUpError) in
                try StartUpError.reading(path, of: Self.authoritiesOption, isSecret: false)
            }
        )
        do throws(TLSError) {
            return try TLSContext(identity)
        } catch {
            throw StartUpError(description: "\(self.place(of: error)): \(error)")
        }
    }

    /// The option and the file that are to blame.
    private func place(of error: TLSError) -> String {
        switch error {
        case .invalidCertificate, .library: "\(Self.certificateOption) \(self.certificate)"
        case .invalidKey, .encryptedKey, .keyMismatch: "\(Self.keyOption) \(self.key)"
        case .invalidAuthority: "\(Self.authoritiesOption) \(self.clientAuthorities ?? "")"
        }
    }
}
