import Glibc

@testable import HTTPServer

extension FuzzTarget {
    /// What comes before there is a TLS session. No input can be a whole handshake: nobody knows the server's share of
    /// the key in advance. So the handshake goes on as long as the client does, or fails.
    static let tlsHandshake = FuzzTarget(name: "tls-handshake") { input in
        let context = try Self.context.get()
        var descriptors: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        precondition(socketpair(AF_UNIX, type, 0, &descriptors) == 0, "there are sockets")
        let (client, server) = (SocketDescriptor(descriptors[0]), SocketDescriptor(descriptors[1]))
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
