/// How long the server waits for a client.
public struct HTTPTimeouts: Sendable {
    /// From the start of a connection to the end of its TLS handshake; then it is closed.
    public var handshake = Duration.seconds(10)

    /// From the first byte of a head to its last, however often a byte arrives; then 408.
    public var head = Duration.seconds(10)

    /// Content must arrive with at least `minimumBodyRate` on average over each such span; else 408.
    public var bodyGrace = Duration.seconds(10)

    /// In bytes per second.
    public var minimumBodyRate = 1024

    /// Between two requests; then the connection is closed.
    public var idle = Duration.seconds(75)

    /// Without a byte of the reply being taken; then the connection is reset.
    public var writeStall = Duration.seconds(30)

    /// From the end of the last reply until the connection is closed, if the client does not close it before.
    public var linger = Duration.seconds(5)

    /// From the call of `drain` until the requests that are still in work are given up.
    public var drain = Duration.seconds(25)

    /// What `idle` and `linger` are at most while the server drains: long enough for what is on its way.
    public var drainIdle = Duration.milliseconds(250)

    public init() {}
}
