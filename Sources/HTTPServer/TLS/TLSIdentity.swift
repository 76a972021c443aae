/// What a server shows of itself, and whom it lets in, as PEM (RFC 7468).
public struct TLSIdentity: Sendable {
    /// The server's certificate, then those that lead from it to one that clients know.
    public var certificateChain: [UInt8]

    /// The private key of the first certificate, not encrypted.
    public var privateKey: [UInt8]

    /// Whose certificates clients must show. Without these none is asked for.
    public var clientAuthorities: [UInt8]?

    public init(certificateChain: [UInt8], privateKey: [UInt8], clientAuthorities: [UInt8]? = nil) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.clientAuthorities = clientAuthorities
    }
}
