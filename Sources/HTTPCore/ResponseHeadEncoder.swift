import HTTPTypes

/// Writes the head of a response as bytes.
enum ResponseHeadEncoder {
    /// The fields that are the server's own business.
    private static let ownFields: [HTTPField.Name] = [.contentLength, .transferEncoding, .connection, .date]

    /// What the Connection field says (RFC 9112 §9.3, §9.6).
    enum Persistence {
        case close
        /// Said to HTTP/1.0 clients only; in HTTP/1.1 it goes without saying.
        case keepAlive
        case unsaid
    }

    /// How the content is framed, and what caches are told about it.
    struct Content {
        /// In bytes, before it is coded.
        var count: Int

        /// Coded content comes in chunks, as its length is not known.
        var coding: ContentCoding?

        /// Whether a client with another Accept-Encoding would get it otherwise (RFC 9110 §12.5.5).
        var varies = false
    }

    /// The interim response that asks for the content (RFC 9110 §15.2.1).
    static let continueHead = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Whether a response of this status has content, and so a length (RFC 9112 §6.3 (1), RFC 9110 §8.6).
    static func hasContent(_ status: HTTPResponse.Status) -> Bool {
        status.kind != .informational && status != .noContent && status != .notModified
    }

    /// Appends a head, from the status line to the empty line.
    ///
    /// The fields cannot break out of their lines: HTTPTypes holds no value with CR, LF or NUL (RFC 9112 §11.1).
    static func encode(
        _ response: HTTPResponse,
        content: Content,
        persistence: Persistence,
        date: HTTPDate,
        into bytes: inout [UInt8]
    ) {
        let status = response.status
        var varies = content.varies
        bytes.append(contentsOf: "HTTP/1.1 ".utf8)
        bytes.append(contentsOf: String(status.code).utf8)
        bytes.append(.space)
        bytes.append(contentsOf: status.reasonPhrase.utf8)
        Self.endLine(&bytes)
        for field in response.headerFields where !Self.ownFields.contains(field.name) {
            bytes.append(contentsOf: field.name.rawName.utf8)
            bytes.append(contentsOf: ": ".utf8)
            field.withUnsafeBytesOfValue { bytes.append(contentsOf: $0) }
            if varies, field.name == .vary {
                if !Self.coversAcceptEncoding(field) { bytes.append(contentsOf: ", Accept-Encoding".utf8) }
                varies = false
            }
            Self.endLine(&bytes)
        }
        if varies { bytes.append(contentsOf: "Vary: Accept-Encoding\r\n".utf8) }
        if Self.hasContent(status) { Self.encode(content, into: &bytes) }
        bytes.append(contentsOf: "Date: ".utf8)
        bytes.append(contentsOf: date.text)
        Self.endLine(&bytes)
        switch persistence {
        case .close: bytes.append(contentsOf: "Connection: close\r\n".utf8)
        case .keepAlive: bytes.append(contentsOf: "Connection: keep-alive\r\n".utf8)
        case .unsaid: break
        }
        Self.endLine(&bytes)
    }

    /// Says where the content ends: RFC 9112 §6.1 wants one way only.
    private static func encode(_ content: Content, into bytes: inout [UInt8]) {
        if let coding = content.coding {
            bytes.append(contentsOf: "Content-Encoding: \(coding.name)\r\nTransfer-Encoding: chunked\r\n".utf8)
        } else {
            bytes.append(contentsOf: "Content-Length: ".utf8)
            bytes.append(contentsOf: String(content.count).utf8)
            Self.endLine(&bytes)
        }
    }

    /// Whether a Vary field already says so.
    private static func coversAcceptEncoding(_ vary: HTTPField) -> Bool {
        var isCovered = false
        vary.withUnsafeBytesOfValue { value in
            UnsafeRawBufferPointer(value).forEachListMember { member in
                if member.equalsIgnoringCase("accept-encoding") || member.equalsIgnoringCase("*") { isCovered = true }
            }
        }
        return isCovered
    }

    private static func endLine(_ bytes: inout [UInt8]) {
        bytes.append(.carriageReturn)
        bytes.append(.lineFeed)
    }
}
