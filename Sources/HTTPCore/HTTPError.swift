/// Why the server itself refuses a request. After each of these the connection is closed.
public enum HTTPError: Error, Equatable, Sendable, CaseIterable {
    // The request-line
    /// Not `method SP target SP version`.
    case malformedRequestLine
    /// A method that no resource of this server can have.
    case unsupportedMethod
    /// A target in none of the four forms, or in one that the method does not allow.
    case invalidTarget
    /// A major version other than 1.
    case unsupportedVersion
    /// A request-line beyond `maxRequestLineBytes`.
    case requestLineTooLong

    // The header section
    /// A line that does not end with CRLF, or a CR within a line.
    case invalidLineEnd
    /// A line that continues the one before it.
    case foldedField
    /// A field name that is empty or not a token, or no colon right behind it.
    case invalidFieldName
    /// A control character in a field value.
    case invalidFieldValue
    /// A header section beyond `maxHeadBytes`.
    case headTooLarge
    /// More lines than `maxFieldCount`.
    case tooManyFields
    /// More than one Content-Type.
    case repeatedContentType

    // Host
    /// HTTP/1.1 without Host.
    case missingHost
    /// More than one Host.
    case repeatedHost
    /// A host that does not match `uri-host [ ":" port ]`, or an empty one.
    case invalidHost

    // Framing
    /// A Content-Length that is not a row of digits.
    case invalidContentLength
    /// More than one Content-Length.
    case repeatedContentLength
    /// Content-Length together with Transfer-Encoding.
    case contentLengthWithTransferEncoding
    /// Transfer-Encoding in HTTP/1.0.
    case transferEncodingInHTTP10
    /// A Transfer-Encoding that is not a list of names, or in which chunked is not the last one or appears twice.
    case invalidTransferEncoding
    /// A transfer coding other than chunked.
    case unsupportedTransferCoding
    /// An expectation other than 100-continue.
    case unsupportedExpectation

    /// A content coding other than gzip and deflate, or more than one.
    case unsupportedContentCoding

    // Content
    /// Content beyond `maxBodyBytes`.
    case bodyTooLarge
    /// Content that is not what its content coding says, ends too early or does not end with it.
    case invalidContentCoding
    /// A chunk size that is not a row of hexadecimal digits, or followed by something else than an extension.
    case invalidChunkSize
    /// A chunk extension with a control character.
    case invalidChunkExtension
    /// A chunk whose size line or data does not end with CRLF.
    case invalidChunkEnd
    /// Chunk extensions beyond `maxChunkExtensionBytes`.
    case chunkExtensionsTooLong
    /// A trailer section beyond `maxTrailerBytes`.
    case trailersTooLarge
    /// A trailer section with more lines than `maxTrailerFieldCount`.
    case tooManyTrailerFields

    // Time and load
    /// A head that was not complete in time.
    case headTimeout
    /// Content that arrived too slowly.
    case bodyTimeout
    /// No room for another connection or for this content.
    case overloaded
    /// The server is shutting down.
    case draining
}

extension HTTPError {
    /// The limit that the client has run into, if it was one. The limit of connections is not among them: `overloaded`
    /// is said of the memory, too.
    public var limit: Limit? {
        switch self {
        case .requestLineTooLong: .requestLineBytes
        case .headTooLarge: .headBytes
        case .tooManyFields: .fields
        case .bodyTooLarge: .bodyBytes
        case .chunkExtensionsTooLong: .chunkExtensionBytes
        case .trailersTooLarge: .trailerBytes
        case .tooManyTrailerFields: .trailerFields
        case .headTimeout: .headTimeout
        case .bodyTimeout: .bodyRate
        default: nil
        }
    }
}
