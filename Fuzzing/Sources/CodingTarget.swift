import CZlib

@testable import HTTPCore

extension FuzzTarget {
    /// Coded content: what begins like gzip or zlib as it is, all else as the DEFLATE data of a gzip member whose checksum
    /// is right. And content that is coded as a reply, then sent back as a request, which must come out as it was.
    static let codedContent = FuzzTarget(name: "coded-content") { input in
        switch input.first {
        case 0x1F: try Self.checkDecoding(of: Array(input), "gzip")
        case 0x78: try Self.checkDecoding(of: Array(input), "deflate")
        default: try Self.checkMember(of: input)
        }
        try Self.checkReply(with: Array(input))
    }

    /// - Returns: what is decoded; `nil` if the request is refused.
    @discardableResult
    private static func checkDecoding(of content: [UInt8], _ coding: String) throws -> [UInt8]? {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: \(coding)\r\n"
        let whole = Array("\(head)Content-Length: \(content.count)\r\n\r\n".utf8) + content
        let outcome = try TestSession.checkSegmentation(of: whole)
        let chunk =
            content.isEmpty ? [] : Array("\(String(content.count, radix: 16))\r\n".utf8) + content + [0x0D, 0x0A]
        let start = Array("\(head)Transfer-Encoding: chunked\r\n\r\n".utf8)
        let chunked = try TestSession.outcome(of: [start[...], chunk[...], Array("0\r\n\r\n".utf8)[...]])
        precondition(chunked.requests.map(\.content) == outcome.requests.map(\.content), "framing changes nothing")
        precondition(chunked.refusals == outcome.refusals, "framing changes nothing")
        return outcome.requests.first?.content
    }

    /// Holds what comes of DEFLATE data against what zlib says in one call.
    private static func checkMember(of data: UnsafeRawBufferPointer) throws {
        let limit = HTTPLimits.small.maxBodyBytes
        let expected = data.count > limit ? nil : Self.inflated(data, atMost: limit)
        let checksum = expected.map { crc32(0, $0, UInt32($0.count)) } ?? 0
        // RFC 1952 §2.3
        var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF] + data
        for word in [UInt32(checksum), UInt32(expected?.count ?? 0)] {
            member += withUnsafeBytes(of: word.littleEndian) { Array($0) }
        }
        let decoded = try Self.checkDecoding(of: member, "gzip")
        precondition(
            decoded == expected || member.count > limit,
            "\(String(describing: decoded)) is not what zlib says"
        )
    }

    /// The content of DEFLATE data (RFC 1951) that ends where it should and is not too long.
    private static func inflated(_ data: UnsafeRawBufferPointer, atMost limit: Int) -> [UInt8]? {
        var stream = z_stream()
        guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        var content = [UInt8](repeating: 0, count: limit + 1)
        return content.withUnsafeMutableBufferPointer { content in
            stream.next_in = data.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_in = UInt32(data.count)
            stream.next_out = content.baseAddress
            stream.avail_out = UInt32(content.count)
            guard inflate(&stream, Z_FINISH) == Z_STREAM_END, stream.avail_in == 0, stream.avail_out > 0 else {
                return nil
            }
            return Array(content[..<(content.count - Int(stream.avail_out))])
        }
    }

    private static func checkReply(with content: [UInt8]) throws {
        var session = try TestSession.small(maxBodyBytes: 1 << 13)
        session.answer = { .echo($0) }
        session.receive(
            "POST / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: \(content.first == 0x78 ? "deflate" : "gzip")\r\n"
        )
        session.receive("Content-Length: \(content.count)\r\n\r\n")
        session.receive(content[...])
        guard let end = session.outcome.outputBytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else {
            preconditionFailure("there is an answer")
        }
        let fields = String(decoding: session.outcome.outputBytes[..<end], as: UTF8.self)
            .split(separator: "\r\n").filter { $0.contains("-Encoding:") || $0.hasPrefix("Content-Length:") }
        var mirror = try TestSession.small(maxBodyBytes: 1 << 13)
        mirror.receive("POST / HTTP/1.1\r\nHost: a\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n")
        mirror.receive(session.outcome.outputBytes[end...])
        precondition(
            mirror.outcome.requests.map(\.content) == [content.isEmpty ? Array("ok".utf8) : content],
            "a reply can be undone"
        )
    }
}
