import CSystem
import Glibc

/// A socket that is bound and listens: non-blocking, not inherited by child processes.
struct ListeningSocket: Sendable {
    let descriptor: Int32

    /// Where it listens, with the port that was found.
    let address: HTTPServerConfiguration.Address

    /// Connections that wait to be accepted; the system may allow fewer.
    static let backlog: Int32 = 1024

    init(_ address: HTTPServerConfiguration.Address) throws(HTTPServerError) {
        switch address {
        case .tcp(let host, let port): self = try Self.tcp(host: host, port: port)
        case .unixSocket(let path): self = try Self.unix(path: path)
        }
    }

    private init(descriptor: Int32, address: HTTPServerConfiguration.Address) {
        self.descriptor = descriptor
        self.address = address
    }

    /// Closes the socket and takes a Unix socket's name away.
    func close() {
        // In this order: once closed, the name may be another server's already.
        if case .unixSocket(let path) = self.address { unlink(path) }
        _ = Glibc.close(self.descriptor)
    }

    private static func tcp(host: String, port: UInt16) throws(HTTPServerError) -> ListeningSocket {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0, let first = list else {
            throw .unresolvableHost(host, reason: String(cString: gai_strerror(result)))
        }
        defer { freeaddrinfo(list) }
        let info = first.pointee
        let descriptor = try Self.socket(family: info.ai_family)
        var enabled: Int32 = 1
        // RFC 9293 keeps the port in TIME-WAIT after a shutdown; the next start shall not wait for its end.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &enabled, socklen_t(MemoryLayout<Int32>.size))
        try Self.listen(descriptor, info.ai_addr, info.ai_addrlen, for: .tcp(host: host, port: port))
        let boundPort = port != 0 ? port : Self.port(of: descriptor)
        return ListeningSocket(descriptor: descriptor, address: .tcp(host: host, port: boundPort))
    }

    private static func unix(path: String) throws(HTTPServerError) -> ListeningSocket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // One byte is for the NUL at the end.
        guard !bytes.isEmpty, !bytes.contains(0), bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .invalidSocketPath(path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let target = HTTPServerConfiguration.Address.unixSocket(path: path)
        try Self.removeStaleSocket(&address, path: path)
        let descriptor = try Self.socket(family: AF_UNIX)
        try Self.withSocketAddress(&address) { pointer, length throws(HTTPServerError) in
            try Self.listen(descriptor, pointer, length, for: target)
        }
        return ListeningSocket(descriptor: descriptor, address: target)
    }

    /// Removes the name that a server left behind that did not end well; nobody answers there any more.
    private static func removeStaleSocket(_ address: inout sockaddr_un, path: String) throws(HTTPServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .invalidSocketPath(path) }
        let probe = try Self.socket(family: AF_UNIX)
        defer { _ = Glibc.close(probe) }
        let isAnswered = Self.withSocketAddress(&address) { connect(probe, $0, $1) == 0 || errno == EAGAIN }
        guard !isAnswered else { throw .addressInUse(.unixSocket(path: path)) }
        unlink(path)
    }

    private static func withSocketAddress<Result, Failure: Error>(
        _ address: inout sockaddr_un,
        _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeMutablePointer(to: &address) { pointer throws(Failure) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound throws(Failure) in
                try body(rebound, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func socket(family: Int32) throws(HTTPServerError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(family, type, 0)
        guard descriptor >= 0 else { throw .system(function: "socket", errorNumber: errno) }
        return descriptor
    }

    /// Binds and listens; closes the descriptor if that fails.
    private static func listen(
        _ descriptor: Int32,
        _ address: UnsafeMutablePointer<sockaddr>,
        _ length: socklen_t,
        for target: HTTPServerConfiguration.Address
    ) throws(HTTPServerError) {
        var function = "bind"
        var result = bind(descriptor, address, length)
        if result == 0 {
            function = "listen"
            result = Glibc.listen(descriptor, Self.backlog)
        }
        guard result != 0 else { return }
        let errorNumber = errno
        _ = Glibc.close(descriptor)
        switch (errorNumber, target) {
        case (EADDRINUSE, _): throw .addressInUse(target)
        case (EADDRNOTAVAIL, _): throw .addressNotAvailable(target)
        case (EACCES, _), (EPERM, _): throw .permissionDenied(target)
        case (ENOENT, .unixSocket(let path)), (ENOTDIR, .unixSocket(let path)): throw .invalidSocketPath(path)
        default: throw .system(function: function, errorNumber: errorNumber)
        }
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            // The port stands at the same place in sockaddr_in and sockaddr_in6.
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
        }
    }
}
