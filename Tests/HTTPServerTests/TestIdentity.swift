import COpenSSL
import HTTPServer
import Testing

/// A certificate that signs itself, made for one test.
struct TestIdentity {
    let certificate: [UInt8]
    let key: [UInt8]

    var identity: TLSIdentity { TLSIdentity(certificateChain: self.certificate, privateKey: self.key) }

    /// - Parameters:
    ///   - name: the certificate's common name.
    ///   - passphrase: encrypts the key.
    init(_ name: String = "localhost", passphrase: String? = nil) throws {
        let key = try Self.makeKey()
        defer { EVP_PKEY_free(key) }
        let certificate = try #require(X509_new())
        defer { X509_free(certificate) }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3_600)
        let subject = X509_get_subject_name(certificate)
        let nameLength = Int32(name.utf8.count)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, Array(name.utf8), nameLength, -1, 0)
        X509_set_issuer_name(certificate, subject)
        X509_set_pubkey(certificate, key)
        try #require(X509_sign(certificate, key, EVP_sha256()) > 0)
        self.certificate = try Self.pem { PEM_write_bio_X509($0, certificate) }
        self.key = try Self.pem { bio in
            guard let passphrase else { return PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil) }
            var secret = Array(passphrase.utf8)
            return PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), &secret, Int32(secret.count), nil, nil)
        }
    }

    private static func makeKey() throws -> OpaquePointer {
        let context = try #require(EVP_PKEY_CTX_new_from_name(nil, "EC", nil))
        defer { EVP_PKEY_CTX_free(context) }
        try #require(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_group_name(context, "P-256") == 1)
        var key: OpaquePointer?
        try #require(EVP_PKEY_generate(context, &key) == 1)
        return try #require(key)
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws -> [UInt8] {
        let bio = try #require(BIO_new(BIO_s_mem()))
        defer { BIO_free(bio) }
        try #require(write(bio) == 1)
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = BIO_read(bio, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(Int(count)))
    }
}
