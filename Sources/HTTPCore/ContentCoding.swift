/// A way to make content shorter that this server can do and undo (RFC 9110 §8.4.1).
enum ContentCoding: Sendable {
    /// RFC 1952
    case gzip
    /// The zlib format, RFC 1950. What some clients once sent under this name, deflate without a frame, is not it
    /// (RFC 9110 §8.4.1.2).
    case deflate

    /// - Parameter name: a member of Content-Encoding or Accept-Encoding.
    init?(_ name: UnsafeRawBufferPointer) {
        // RFC 9110 §8.4.1: all names are case-insensitive; §8.4.1.3: x-gzip is an old name of gzip.
        if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
            self = .gzip
        } else if name.equalsIgnoringCase("deflate") {
            self = .deflate
        } else {
            return nil
        }
    }

    /// What Content-Encoding calls it.
    var name: StaticString {
        switch self {
        case .gzip: "gzip"
        case .deflate: "deflate"
        }
    }

    /// How zlib is told of the format and of a window of 32 KiB.
    var windowBits: Int32 {
        switch self {
        case .gzip: 15 + 16
        case .deflate: 15
        }
    }
}
