import Glibc
import HTTPTypes

/// Reads a request head line by line, as the lines arrive.
///
/// Each line is judged when its end is there, so that the outcome does not depend on how the bytes were cut.
struct RequestHeadParser {
    private let limits: HTTPLimits
    private var requestLine: RequestLine?
    private var section = HeaderSection()
    private var lineStart = 0
    private var scannedCount = 0

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Whether bytes of a head have been seen.
    var hasBegun: Bool { self.scannedCount > 0 }

    /// Whether the bytes begin as those of a HEAD request, whatever is wrong with the rest.
    private(set) var isHead = false

    /// The number of bytes of empty lines in front of a head.
    ///
    /// RFC 9112 §2.2: a server should ignore at least one empty line before the request-line.
    static func emptyLineBytes(in bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        while count + 1 < bytes.count, bytes[count] == .carriageReturn, bytes[count + 1] == .lineFeed { count += 2 }
        return count
    }

    /// Goes on with `bytes`, which begin with the first byte of the head each time.
    ///
    /// - Returns: `nil` until the head is complete.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) -> RequestHead? {
        if self.scannedCount == 0, let first = bytes.first, !first.isTokenCharacter {
            // RFC 9112 §3: a request begins with a method. TLS and other protocols are turned away at once.
            throw .malformedRequestLine
        }
        if !self.isHead, self.requestLine == nil { self.isHead = Self.beginsWithHead(bytes) }
        while let lineEnd = self.nextLineFeed(in: bytes) {
            let line = bytes.slice(self.lineStart..<lineEnd)
            try self.checkSize(lineCount: line.count - 1, totalCount: lineEnd + 1)
            self.lineStart = lineEnd + 1
            self.scannedCount = lineEnd + 1
            // RFC 9112 §2.2: a recipient may take a bare LF for a line end; this one does not.
            guard line.last == .carriageReturn else { throw .invalidLineEnd }
            let content = line.slice(0..<line.count - 1)
            if self.requestLine == nil {
                self.requestLine = try RequestLine(content)
            } else if content.isEmpty {
                return try self.finish()
            } else {
                guard self.section.lineCount < self.limits.maxFieldCount else { throw .tooManyFields }
                try self.section.append(line: content)
            }
        }
        self.scannedCount = bytes.count
        try self.checkSize(lineCount: bytes.count - self.lineStart - 1, totalCount: bytes.count)
        return nil
    }

    private static func beginsWithHead(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let text: StaticString = "HEAD "
        return bytes.starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func nextLineFeed(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, self.scannedCount < bytes.count,
            let found = memchr(base + self.scannedCount, Int32(UInt8.lineFeed), bytes.count - self.scannedCount)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// Holds a line that is complete or not yet complete against the limits; its CR is not counted.
    private func checkSize(lineCount: Int, totalCount: Int) throws(HTTPError) {
        // RFC 9112 §3: a target that is too long is refused without waiting for its end.
        let isRequestLine = self.requestLine == nil
        if isRequestLine, lineCount > self.limits.maxRequestLineBytes { throw .requestLineTooLong }
        // RFC 9110 §5.4 and RFC 6585 §5
        if totalCount > self.limits.maxHeadBytes { throw isRequestLine ? .requestLineTooLong : .headTooLarge }
    }

    private func finish() throws(HTTPError) -> RequestHead {
        guard let requestLine else { preconditionFailure("the request-line comes first") }
        let framing = try self.section.framing(version: requestLine.version, limits: self.limits)
        // RFC 9112 §3.2.2: the host of an absolute target wins, but Host is checked all the same.
        let host = try self.section.validHost(version: requestLine.version)
        let expectsContinue = try self.section.expectsContinue(version: requestLine.version)
        return RequestHead(
            request: HTTPRequest(
                method: requestLine.method,
                scheme: nil,
                authority: requestLine.authority ?? host,
                path: requestLine.path,
                headerFields: self.section.fields
            ),
            framing: framing,
            contentEncoding: self.section.contentEncoding,
            acceptEncoding: self.section.acceptEncoding,
            version: requestLine.version,
            isPersistent: self.section.isPersistent(version: requestLine.version),
            expectsContinue: expectsContinue,
            byteCount: self.scannedCount
        )
    }
}
