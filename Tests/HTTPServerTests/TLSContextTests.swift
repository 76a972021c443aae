import HTTPServer
import Testing

@Suite("TLS identities")
struct TLSContextTests {
    @Test("A certificate with its key, alone and with a chain and authorities")
    func valid() throws {
        let (own, other) = (try TestIdentity(), try TestIdentity("other"))
        _ = try TLSContext(own.identity)
        _ = try TLSContext(
            TLSIdentity(
                certificateChain: own.certificate + other.certificate,
                privateKey: own.key,
                clientAuthorities: Array("comments may stand between\n".utf8) + other.certificate + own.certificate
            )
        )
    }

    @Test("What is wrong is told apart")
    func errors() throws {
        let (own, other) = (try TestIdentity(), try TestIdentity("other"))
        let locked = try TestIdentity(passphrase: "secret")
        let damaged = Array(own.certificate.dropLast(60))
        func error(certificate: [UInt8]? = nil, key: [UInt8]? = nil, authorities: [UInt8]? = nil) -> TLSError? {
            let identity = TLSIdentity(
                certificateChain: certificate ?? own.certificate,
                privateKey: key ?? own.key,
                clientAuthorities: authorities
            )
            do throws(TLSError) {
                _ = try TLSContext(identity)
                return nil
            } catch {
                return error
            }
        }
        #expect(error(key: other.key) == .keyMismatch)
        #expect(error(certificate: locked.certificate, key: locked.key) == .encryptedKey)
        for bytes in [[], Array("nonsense".utf8), own.key, damaged, own.certificate + damaged] {
            guard case .invalidCertificate = error(certificate: bytes) else {
                Issue.record("\(bytes.count) bytes are taken for certificates")
                continue
            }
        }
        for bytes in [[], Array("nonsense".utf8), own.certificate, Array(own.key.dropLast(40))] {
            guard case .invalidKey = error(key: bytes) else {
                Issue.record("\(bytes.count) bytes are taken for a key")
                continue
            }
        }
        for bytes in [[], Array("nonsense".utf8), own.key] {
            guard case .invalidAuthority = error(authorities: bytes) else {
                Issue.record("\(bytes.count) bytes are taken for authorities")
                continue
            }
        }
    }
}
