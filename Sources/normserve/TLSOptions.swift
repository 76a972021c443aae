import ArgumentParser

/// What the server shows to clients that speak TLS, and what it wants to see of them.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Speak TLS 1.2 and 1.3 with the certificates of this PEM file, the server's own first.",
            valueName: "file"
        )
    )
    var tlsCertificate: String?

    @Option(
        help: ArgumentHelp("The PEM file of the certificate's private key, without a passphrase.", valueName: "file")
    )
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "Serve only clients with a certificate of one of the authorities in this PEM file.",
            valueName: "file"
        )
    )
    var tlsClientCa: String?

    func validate() throws {
        guard (self.tlsCertificate == nil) == (self.tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together; give both or neither")
        }
        guard self.tlsClientCa == nil || self.tlsKey != nil else {
            throw ValidationError("--tls-client-ca needs --tls-certificate and --tls-key")
        }
    }
}
