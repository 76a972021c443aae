import COpenSSL

/// Why an identity cannot be used.
public enum TLSError: Error, Equatable, Sendable {
    /// The chain has no certificate, or what stands there is none.
    case invalidCertificate(reason: String)
    /// The key is none.
    case invalidKey(reason: String)
    /// The key needs a passphrase; nobody is there to be asked.
    case encryptedKey
    /// The key is not that of the first certificate.
    case keyMismatch
    /// There is no authority for clients, or what stands there is none.
    case invalidAuthority(reason: String)
    /// The library refuses something else, such as memory.
    case library(reason: String)
}

extension TLSError {
    /// The innermost reason that the library has noted in this thread, in its own words; forgets all of them.
    static func takeReason() -> String {
        defer { ERR_clear_error() }
        guard let text = ERR_reason_error_string(ERR_peek_last_error()) else { return "no reason is known" }
        return String(cString: text)
    }
}

extension TLSError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidCertificate(let reason): "not a usable PEM certificate: \(reason)"
        case .invalidKey(let reason): "not a usable PEM private key: \(reason)"
        case .encryptedKey: "the private key is encrypted; it must stand there without a passphrase"
        case .keyMismatch: "the private key is not that of the certificate"
        case .invalidAuthority(let reason): "not usable PEM certificates of authorities: \(reason)"
        case .library(let reason): "TLS cannot be set up: \(reason)"
        }
    }
}
