import COpenSSL

/// Reads certificates and keys off PEM text.
final class PEMReader {
    private let bio: OpaquePointer

    init(_ pem: [UInt8]) throws(TLSError) {
        ERR_clear_error()
        guard let bio = BIO_new(BIO_s_mem()) else { throw .library(reason: TLSError.takeReason()) }
        self.bio = bio
        guard BIO_write(bio, pem, Int32(clamping: pem.count)) == pem.count else {
            throw .library(reason: TLSError.takeReason())
        }
    }

    deinit {
        BIO_free(self.bio)
    }

    /// The next certificate, which the caller frees; `nil` if there is none or it is damaged: `hasEnded` tells.
    func nextCertificate() -> OpaquePointer? {
        PEM_read_bio_X509(self.bio, nil, refusePassphrase, nil)
    }

    /// Whether nothing but other text was left when the last certificate was looked for.
    var hasEnded: Bool {
        let error = ERR_peek_last_error()
        return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE
    }

    /// The private key, which the caller frees.
    func privateKey() throws(TLSError) -> OpaquePointer {
        var isEncrypted = false
        let key = withUnsafeMutablePointer(to: &isEncrypted) { flag in
            PEM_read_bio_PrivateKey(
                self.bio,
                nil,
                refusePassphrase,
                flag
            )
        }
        if let key { return key }
        let reason = TLSError.takeReason()
        if isEncrypted { throw .encryptedKey }
        throw .invalidKey(reason: reason)
    }
}

/// Is asked for a passphrase, knows none, and notes that it was asked. Without it the library would ask on the terminal,
/// and wait.
private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ capacity: Int32,
    _ isForWriting: Int32,
    _ wasAsked: UnsafeMutableRawPointer?
) -> Int32 {
    wasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
