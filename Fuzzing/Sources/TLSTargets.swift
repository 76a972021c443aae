import COpenSSL
import Glibc

@testable import HTTPServer

extension FuzzTarget {
    /// What comes before there is a TLS session. No input can be a whole handshake: nobody knows the server's share of
    /// the key in advance. So the handshake goes on as long as the client does, or fails.
    static let tlsHandshake = FuzzTarget(name: "tls-handshake") { input in
        let context = try Self.context.get()
        let (client, server) = try SocketDescriptor.pair()
        guard let session = TLSSession(context, over: server) else { preconditionFailure("there is memory") }
        var generator = InputGenerator(input)
        var failed = false
        for piece in generator.pieces(of: Array(input), atMost: 4) where !failed && !piece.isEmpty {
            precondition(piece.withUnsafeBytes { write(client.rawValue, $0.baseAddress, $0.count) } == piece.count)
            switch session.handshake() {
            case .wouldBlock(.input): break
            case .failed: failed = true
            case .wouldBlock(.output): preconditionFailure("a handshake's answers fit into a socket")
            case .done: preconditionFailure("a client that does not listen cannot shake hands")
            }
        }
        client.endSending()
        guard case .failed = session.handshake() else { preconditionFailure("without a client the handshake fails") }
    }

    /// A session in use: what both ends do, byte by byte as `Choices` takes them, and what somebody on the way adds to it.
    /// What is read was sent, whole and in order.
    static let tlsRecords = FuzzTarget(name: "tls-records") { input in
        let context = try Self.context.get()
        var choices = Choices(input)
        guard let client = Self.clients[choices.number(below: 2)] else { throw TLSPeers.Exhausted() }
        let peers = try TLSPeers(context, of: client)
        for _ in 0..<64 where !choices.rest.isEmpty {
            switch choices.number(below: 12) {
            case 0, 1: peers.clientSends(choices.number(below: 256))
            case 2: peers.clientSends(choices.number(below: 40_000))
            case 3: peers.inject((0...choices.number(below: 16)).map { _ in choices.byte() })
            case 4: peers.clientUpdatesKey()
            case 5: peers.clientEnds(withNotice: choices.byte() & 1 == 0)
            case 6, 7: peers.serverReceives(1 + choices.number(below: 40_000))
            case 8: peers.serverReceives(1 + choices.number(below: 32))
            case 9: peers.serverSends((0...choices.number(below: 5)).map { _ in choices.number(below: 20_000) })
            case 10: peers.clientReceives()
            default: peers.serverCloses()
            }
        }
    }

    /// Clients that speak up to TLS 1.3 and up to TLS 1.2.
    private nonisolated(unsafe) static let clients = [TLS1_3_VERSION, TLS1_2_VERSION].map { version in
        let client = SSL_CTX_new(TLS_client_method())
        SSL_CTX_ctrl(client, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        return client
    }

    /// The files of an identity: what begins with a dash as PEM, all else as the DER of a certificate or key within it.
    static let pem = FuzzTarget(name: "pem") { input in
        let isText = input.first == UInt8(ascii: "-")
        let certificates = isText ? Array(input) : FuzzIdentity.pem("CERTIFICATE", input)
        var identities = Array(repeating: try Self.identity.get(), count: 3)
        identities[0].certificateChain = certificates
        identities[1].privateKey = isText ? certificates : FuzzIdentity.pem("PRIVATE KEY", input)
        identities[2].clientAuthorities = certificates
        for identity in identities {
            do throws(TLSError) {
                _ = try TLSContext(identity)
            } catch {
                precondition(!error.description.isEmpty, "an error has words")
            }
        }
    }

    private static let identity = Result { try FuzzIdentity.make() }
    private static let context = Result { try TLSContext(Self.identity.get()) }
}
