public import HTTPCore

/// Where the server listens, and how much it takes on.
public struct HTTPServerConfiguration: Sendable {
    /// Where to listen, or where the server listens.
    public enum Address: Equatable, Sendable {
        /// A name or an IPv4 or IPv6 address; port 0 means any free one.
        case tcp(host: String, port: UInt16)
        case unixSocket(path: String)
    }

    public var address: Address

    /// The serial queues that read and write; each connection stays on one of them.
    public var eventLoopCount: Int

    /// The large requests that are answered at the same time.
    public var workerCount: Int

    /// Speaks TLS with this identity, or plain HTTP without one.
    public var tls: TLSContext?

    public var limits = HTTPLimits()

    public var timeouts = HTTPTimeouts()

    public init(address: Address, eventLoopCount: Int, workerCount: Int) {
        precondition(eventLoopCount > 0 && workerCount > 0, "the server needs a loop and a worker")
        self.address = address
        self.eventLoopCount = eventLoopCount
        self.workerCount = workerCount
    }
}
