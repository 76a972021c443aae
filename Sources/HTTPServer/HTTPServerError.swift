/// Why the server cannot start.
public enum HTTPServerError: Error, Equatable, Sendable {
    /// The name does not stand for an address; `reason` is the resolver's.
    case unresolvableHost(String, reason: String)
    /// Another process listens there.
    case addressInUse(HTTPServerConfiguration.Address)
    /// The address is not one of this machine's.
    case addressNotAvailable(HTTPServerConfiguration.Address)
    /// The port or the directory is reserved for others.
    case permissionDenied(HTTPServerConfiguration.Address)
    /// A path that is empty, too long for a socket, in no directory, or that of a file that is not a socket.
    case invalidSocketPath(String)
    /// Anything else that the system says; `function` is the call that failed.
    case system(function: String, errorNumber: Int32)
    /// `start` was called before.
    case alreadyStarted
}

extension HTTPServerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unresolvableHost(let host, let reason): "cannot resolve the host \(host): \(reason)"
        case .addressInUse(let address): "\(address) is in use by another process"
        case .addressNotAvailable(let address): "\(address) is not an address of this machine"
        case .permissionDenied(let address): "listening on \(address) is not permitted"
        case .invalidSocketPath(let path):
            "the socket path '\(path)' is empty, too long, in no directory, or another file's"
        case .system(let function, let errorNumber): "\(function) failed: \(SystemError.text(errorNumber))"
        case .alreadyStarted: "the server was started before"
        }
    }
}

extension HTTPServerConfiguration.Address: CustomStringConvertible {
    /// `host:port`, `[host]:port` or `unix:path`.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }
}
