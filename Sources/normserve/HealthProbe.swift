import Glibc
import HTTPCore

/// One `GET` over one connection, which needs no HTTP client library in a small image.
struct HealthProbe {
    static let readyPath = "/health/ready"

    /// Where the server listens.
    enum Target: Equatable {
        case tcp(host: String, port: Int, path: String, isSecure: Bool)
        case unixSocket(path: String)
    }

    /// Why there was no answer.
    struct Failure: Error {
        let reason: String
    }

    let target: Target

    /// The PEM files of the certificate and the key that are shown to a server that wants to see a client's.
    var identity: (certificate: String, key: String)?

    /// When it gives up, however slowly the answer comes.
    let deadline: MonotonicTime

    /// The status code of the answer.
    func run() -> Result<Int, Failure> {
        do throws(Failure) {
            let socket = try self.connectedSocket()
            defer { close(socket) }
            return .success(try self.status(from: socket))
        } catch {
            return .failure(error)
        }
    }

    private func status(from socket: Int32) throws(Failure) -> Int {
        let (host, path, isSecure) =
            switch self.target {
            case .tcp(let host, let port, let path, let isSecure):
                (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)", path, isSecure)
            case .unixSocket: ("localhost", Self.readyPath, false)
            }
        let tls = isSecure ? try ProbeTLS(over: socket, until: self.deadline, showing: self.identity) : nil
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        let sent = try tls?.send(request) ?? send(socket, request, request.count, Int32(MSG_NOSIGNAL))
        guard sent == request.count else { throw Failure(reason: Self.systemError("send")) }
        // The status line is all that matters: "HTTP/1.1 200".
        var line: [UInt8] = []
        while line.count < 12 {
            try self.limitWaiting(on: socket)
            var chunk = [UInt8](repeating: 0, count: 512)
            let count = try tls?.receive(into: &chunk) ?? recv(socket, &chunk, chunk.count, 0)
            guard count != 0 else { throw Failure(reason: "the server closed the connection") }
            guard count > 0 || errno == EINTR else { throw Failure(reason: Self.systemError("receive")) }
            line += chunk.prefix(max(count, 0))
        }
        guard line.starts(with: "HTTP/1.".utf8), let status = Int(String(decoding: line[9..<12], as: UTF8.self)) else {
            throw Failure(reason: "the answer is not HTTP")
        }
        return status
    }

    private func connectedSocket() throws(Failure) -> Int32 {
        switch self.target {
        case .unixSocket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let capacity = MemoryLayout.size(ofValue: address.sun_path)
            guard path.utf8.count < capacity else { throw Failure(reason: "the socket's path is too long") }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            return try withUnsafePointer(to: &address) { pointer throws(Failure) in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic throws(Failure) in
                    try self.connect(AF_UNIX, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        case .tcp(let host, let port, _, _):
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else {
                throw Failure(reason: "\(host) has no address")
            }
            defer { freeaddrinfo(list) }
            var failure = Failure(reason: "\(host) has no address")
            var next = list
            while let entry = next?.pointee {
                do throws(Failure) {
                    return try self.connect(entry.ai_family, entry.ai_addr, entry.ai_addrlen)
                } catch {
                    failure = error
                    next = entry.ai_next
                }
            }
            throw failure
        }
    }

    private func connect(
        _ family: Int32,
        _ address: UnsafePointer<sockaddr>,
        _ length: socklen_t
    ) throws(Failure) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(reason: Self.systemError("socket")) }
        do throws(Failure) {
            try self.limitWaiting(on: descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        guard Glibc.connect(descriptor, address, length) == 0 else {
            let failure = Failure(reason: Self.systemError("connect"))
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// Lets no call on the socket wait beyond the deadline.
    private func limitWaiting(on socket: Int32) throws(Failure) {
        let rest = self.deadline.nanoseconds(since: .now())
        guard rest >= 1000 else { throw Failure(reason: "no answer in time") }
        var limit = timeval(tv_sec: Int(rest / 1_000_000_000), tv_usec: Int(rest % 1_000_000_000 / 1000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    private static func systemError(_ operation: String) -> String {
        "\(operation): \(String(cString: strerror(errno)))"
    }
}
