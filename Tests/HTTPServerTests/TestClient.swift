import COpenSSL
import Glibc
import HTTPServer
import Testing

/// A client that speaks bytes. Every call gives up after ten seconds, so that no test hangs.
final class TestClient {
    struct Failure: Error {
        let function: String
        let errorNumber: Int32
    }

    private let descriptor: Int32
    private let tls: OpaquePointer?
    /// What was received and not yet taken.
    private var received: [UInt8] = []
    private var hasEnded = false

    init(_ address: HTTPServerConfiguration.Address, isSecure: Bool = false) throws {
        let descriptor =
            switch address {
            case .tcp(_, let port): try Self.connect(port: port)
            case .unixSocket(let path): try Self.connect(path: path)
            }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        self.descriptor = descriptor
        self.tls = isSecure ? try Self.handshake(over: descriptor) : nil
    }

    deinit {
        SSL_free(self.tls)
        close(self.descriptor)
    }

    private static func handshake(over descriptor: Int32) throws -> OpaquePointer {
        signal(SIGPIPE, SIG_IGN)
        let context = try #require(SSL_CTX_new(TLS_client_method()))
        defer { SSL_CTX_free(context) }
        let tls = try #require(SSL_new(context))
        SSL_set_fd(tls, descriptor)
        guard SSL_connect(tls) == 1 else {
            SSL_free(tls)
            close(descriptor)
            throw Failure(function: "SSL_connect", errorNumber: errno)
        }
        return tls
    }

    /// The common name of the server's certificate.
    var peerName: String? {
        guard let tls, let certificate = SSL_get0_peer_certificate(tls) else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &name, 64)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func connect(port: UInt16) throws -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return try Self.connect(family: AF_INET, to: &address)
    }

    private static func connect(path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return try Self.connect(family: AF_UNIX, to: &address)
    }

    private static func connect<Address>(family: Int32, to address: inout Address) throws -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard result == 0 else {
            let failure = Failure(function: "connect", errorNumber: errno)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    func send(_ text: String) throws { try self.send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                let rest = bytes.dropFirst(sent)
                return self.tls.map { Int(SSL_write($0, bytes.baseAddress! + sent, Int32(rest.count))) }
                    ?? Glibc.send(self.descriptor, bytes.baseAddress! + sent, rest.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(function: "send", errorNumber: errno) }
            sent += count
        }
    }

    func endSending() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// Makes the close of the socket a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    /// Receives what there is, or waits for it.
    ///
    /// - Returns: `false` at the end of the stream.
    private func receive() throws -> Bool {
        guard !self.hasEnded else { return false }
        let count = try withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { buffer in
            let count = self.receive(into: buffer)
            guard count >= 0 else { throw Failure(function: "recv", errorNumber: errno) }
            self.received += buffer[..<count]
            return count
        }
        self.hasEnded = count == 0
        return count > 0
    }

    private func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let tls else { return recv(self.descriptor, buffer.baseAddress, buffer.count, 0) }
        let count = SSL_read(tls, buffer.baseAddress, Int32(buffer.count))
        return count <= 0 && SSL_get_error(tls, count) != SSL_ERROR_ZERO_RETURN ? -1 : Int(count)
    }

    struct Response: Equatable {
        var status: Int
        var fields: [String]
        var body: [UInt8]

        var text: String { String(decoding: self.body, as: UTF8.self) }
    }

    /// The next response, or `nil` at the end of the stream.
    func response(isHead: Bool = false) throws -> Response? {
        while true {
            if let end = self.received.firstRange(of: Array("\r\n\r\n".utf8)) {
                var lines = String(decoding: self.received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
                let status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
                let fields = lines.map(String.init)
                let length = fields.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
                let bodyCount = isHead ? 0 : length
                while self.received.count < end.upperBound + bodyCount {
                    guard try self.receive() else { return nil }
                }
                let body = Array(self.received[end.upperBound..<end.upperBound + bodyCount])
                self.received.removeFirst(end.upperBound + bodyCount)
                return Response(status: status, fields: fields, body: body)
            }
            guard try self.receive() else { return nil }
        }
    }

    /// Receives up to `count` bytes.
    func take(_ count: Int) throws {
        let goal = self.received.count + count
        while self.received.count < goal, try self.receive() {}
    }

    /// Waits for the end of the stream.
    ///
    /// - Returns: what came before it.
    func rest() throws -> [UInt8] {
        while try self.receive() {}
        return self.received
    }
}

extension Array where Element: Equatable {
    fileprivate func firstRange(of pattern: [Element]) -> Range<Int>? {
        guard self.count >= pattern.count else { return nil }
        for start in 0...(self.count - pattern.count) where self[start..<start + pattern.count].elementsEqual(pattern) {
            return start..<start + pattern.count
        }
        return nil
    }
}
