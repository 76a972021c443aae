/// Takes the chunked framing off content as it arrives (RFC 9112 §7.1).
struct ChunkedDecoder {
    private enum State {
        case sizeStart
        case size
        case blankAfterSize
        case chunkExtension
        case sizeLineFeed
        case data
        case dataCarriageReturn
        case dataLineFeed
        case trailerStart
        case trailerName
        case trailerValue
        case trailerLineFeed
        case lastLineFeed
        case done
    }

    private let limits: HTTPLimits
    private var state = State.sizeStart
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var trailerCount = 0

    /// How much of the current chunk's data is still to come.
    private(set) var dataRemaining = 0

    /// The content so far.
    private(set) var contentCount = 0

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Whether the last CRLF has been read.
    var isDone: Bool { self.state == .done }

    /// Whether the next byte is one of a chunk's data.
    var isInData: Bool { self.state == .data }

    /// How much data comes next, before any framing.
    var dataToRead: Int { self.isInData ? self.dataRemaining : 0 }

    /// Notes that the next `count` bytes of data went to where they belong by another way.
    mutating func skipData(_ count: Int) {
        precondition(self.state == .data && count <= self.dataRemaining, "the bytes belong to the current chunk")
        self.contentCount += count
        self.dataRemaining -= count
        if self.dataRemaining == 0 { self.state = .dataCarriageReturn }
    }

    /// Reads framing from the start of `input`, up to a chunk's data or the end of the message.
    ///
    /// - Returns: the number of bytes read.
    mutating func readFraming(_ input: UnsafeRawBufferPointer) throws(HTTPError) -> Int {
        var position = 0
        while position < input.count, self.state != .data, self.state != .done {
            try self.read(input[position])
            position += 1
        }
        return position
    }

    private mutating func read(_ byte: UInt8) throws(HTTPError) {
        switch self.state {
        case .sizeStart:
            // RFC 9112 §7.1: 1*HEXDIG; no sign, no prefix, no blank before it.
            guard let digit = byte.hexadecimalValue else { throw .invalidChunkSize }
            self.dataRemaining = digit
            self.state = .size
        case .size:
            try self.readSize(byte)
        case .blankAfterSize:
            // RFC 9112 §7.1.1: blanks may stand before the semicolon of an extension, and nowhere else.
            guard byte.isBlank || byte == UInt8(ascii: ";") else { throw .invalidChunkSize }
            try self.countExtensionByte()
            if !byte.isBlank { self.state = .chunkExtension }
        case .chunkExtension:
            // RFC 9112 §7.1.1: unknown extensions are ignored; control characters have no place in them.
            if byte == .carriageReturn {
                self.state = .sizeLineFeed
            } else {
                guard byte.isFieldCharacter else { throw .invalidChunkExtension }
                try self.countExtensionByte()
            }
        case .sizeLineFeed:
            // RFC 9112 §7.1: CRLF, never a bare LF.
            guard byte == .lineFeed else { throw .invalidChunkEnd }
            self.state = self.dataRemaining == 0 ? .trailerStart : .data
        case .dataCarriageReturn:
            guard byte == .carriageReturn else { throw .invalidChunkEnd }
            self.state = .dataLineFeed
        case .dataLineFeed:
            guard byte == .lineFeed else { throw .invalidChunkEnd }
            self.state = .sizeStart
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            try self.readTrailer(byte)
        case .data, .done:
            preconditionFailure("no framing is expected here")
        }
    }

    private mutating func readSize(_ byte: UInt8) throws(HTTPError) {
        switch byte {
        case .carriageReturn:
            self.state = .sizeLineFeed
        case UInt8(ascii: ";"):
            try self.countExtensionByte()
            self.state = .chunkExtension
        case .space, .tab:
            try self.countExtensionByte()
            self.state = .blankAfterSize
        default:
            guard let digit = byte.hexadecimalValue else { throw .invalidChunkSize }
            // RFC 9112 §7.1: large sizes must not overflow. What was declared so far is within the limit, which
            // `HTTPConnection` keeps so low that sixteen times as much fits in an integer.
            self.dataRemaining = self.dataRemaining * 16 + digit
        }
        guard self.dataRemaining <= self.limits.maxBodyBytes - self.contentCount else { throw .bodyTooLarge }
    }

    private mutating func countExtensionByte() throws(HTTPError) {
        self.extensionBytes += 1
        guard self.extensionBytes <= self.limits.maxChunkExtensionBytes else { throw .chunkExtensionsTooLong }
    }

    /// RFC 9112 §7.1.2: trailer fields are fields; they are checked and dropped, never merged (RFC 9110 §6.5.1).
    private mutating func readTrailer(_ byte: UInt8) throws(HTTPError) {
        self.trailerBytes += 1
        guard self.trailerBytes <= self.limits.maxTrailerBytes else { throw .trailersTooLarge }
        switch self.state {
        case .trailerStart where byte == .carriageReturn:
            self.state = .lastLineFeed
        case .trailerStart:
            // RFC 9112 §5.2
            guard !byte.isBlank else { throw .foldedField }
            guard byte.isTokenCharacter else { throw .invalidFieldName }
            self.trailerCount += 1
            guard self.trailerCount <= self.limits.maxTrailerFieldCount else { throw .tooManyTrailerFields }
            self.state = .trailerName
        case .trailerName where byte == UInt8(ascii: ":"):
            self.state = .trailerValue
        case .trailerName:
            guard byte.isTokenCharacter else { throw .invalidFieldName }
        case .trailerValue where byte == .carriageReturn:
            self.state = .trailerLineFeed
        case .trailerValue:
            guard byte != .lineFeed else { throw .invalidLineEnd }
            guard byte.isFieldCharacter else { throw .invalidFieldValue }
        default:
            guard byte == .lineFeed else { throw .invalidLineEnd }
            self.state = self.state == .lastLineFeed ? .done : .trailerStart
        }
    }
}
