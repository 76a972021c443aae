import COpenSSL
import Foundation
import HTTPServer

/// An identity that is the same in every process, so that what an input finds is found again.
enum FuzzIdentity {
    /// Nothing is random in a signature of this kind.
    private static let seed = (0..<32).map { UInt8($0) }

    static func make() throws -> TLSIdentity {
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, Self.seed, Self.seed.count),
            let certificate = X509_new()
        else { throw AllocationFailure() }
        defer {
            EVP_PKEY_free(key)
            X509_free(certificate)
        }
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20000101000000Z")
        ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z")
        let subject = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, Array("localhost".utf8), 9, -1, 0)
        X509_set_issuer_name(certificate, subject)
        X509_set_pubkey(certificate, key)
        guard X509_sign(certificate, key, nil) > 0 else { throw AllocationFailure() }
        return TLSIdentity(
            certificateChain: Self.pem("CERTIFICATE", try Self.der { i2d_X509(certificate, $0) }),
            privateKey: Self.pem("PRIVATE KEY", try Self.der { i2d_PrivateKey(key, $0) })
        )
    }

    /// DER within PEM (RFC 7468).
    static func pem(_ label: String, _ der: some Sequence<UInt8>) -> [UInt8] {
        let text = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return Array("-----BEGIN \(label)-----\n\(text)\n-----END \(label)-----\n".utf8)
    }

    private struct AllocationFailure: Error {}

    private static func der(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>) -> Int32) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = bytes.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            return write(&next)
        }
        guard count > 0 else { throw AllocationFailure() }
        return Array(bytes.prefix(Int(count)))
    }
}
