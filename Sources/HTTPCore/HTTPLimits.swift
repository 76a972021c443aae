/// How much a client may ask for. Everything is enforced while bytes arrive, never after.
public struct HTTPLimits: Sendable {
    /// The content of one request, in bytes, without its chunk framing, and both as it is sent and as it is once its
    /// content coding is undone; beyond it 413.
    public var maxBodyBytes = 256 << 20

    /// The request-line and the header section with their line ends, in bytes; beyond it 431.
    public var maxHeadBytes = 32 << 10

    /// The lines of a header section; beyond it 431.
    public var maxFieldCount = 100

    /// The request-line without its line end, in bytes; beyond it 414.
    public var maxRequestLineBytes = 16 << 10

    /// All chunk extensions of one message together, in bytes; beyond it 400.
    public var maxChunkExtensionBytes = 4 << 10

    /// The trailer section of a chunked message with its line ends, in bytes; beyond it 431.
    public var maxTrailerBytes = 8 << 10

    /// The lines of a trailer section; beyond it 431.
    public var maxTrailerFieldCount = 32

    /// The connections served at the same time; beyond it 503.
    public var maxConnections = 4096

    /// Those of them that come from one IPv4 address or one IPv6 network of 64 bits; beyond it 503. 0 is no limit.
    public var maxConnectionsPerAddress = 1024

    /// The requests of one connection, the last of which is told that it closes. 0 is no limit.
    public var maxRequestsPerConnection = 10_000

    /// How much work is put into coding the replies of clients that ask for it: 1 is the least, 9 the most. 0: none
    /// is coded.
    public var compressionLevel = 1

    public init() {}
}
