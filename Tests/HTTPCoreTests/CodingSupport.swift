import AlignedMemory
import Testing

@testable import HTTPCore

/// What zlib makes of it, independently of how the server sends it.
func coded(_ content: [UInt8], _ coding: ContentCoding = .gzip, level: Int = 1) throws -> [UInt8] {
    try coded(content, by: Deflater.Method(coding: coding, level: level))
}

func coded(_ content: [UInt8], by method: Deflater.Method) throws -> [UInt8] {
    let deflater = try Deflater(method)
    var output = [UInt8](repeating: 0, count: content.count + content.count / 1_000 + 64)
    let (taken, written, isFinished) = content.withUnsafeBytes { input in
        output.withUnsafeMutableBytes { deflater.deflate(input, into: $0, isLast: true) }
    }
    try #require(isFinished && taken == content.count)
    return Array(output[..<written])
}

/// Undoes a coding in one go; the content is no longer than `limit`.
func decoded(_ content: [UInt8], _ coding: ContentCoding = .gzip, limit: Int = 8 << 20) throws -> [UInt8] {
    let inflater = try Inflater(coding)
    var output = [UInt8](repeating: 0, count: limit + 1)
    let (taken, written) = try content.withUnsafeBytes { input in
        try output.withUnsafeMutableBytes { try inflater.inflate(input, into: $0) }
    }
    try #require(inflater.hasEnded && taken == content.count)
    return Array(output[..<written])
}

/// Content in chunks of so many bytes, with the last chunk.
func chunked(_ content: [UInt8], size: Int = 1_000) -> [UInt8] {
    var message: [UInt8] = []
    for start in stride(from: 0, to: content.count, by: size) {
        let chunk = content[start..<min(start + size, content.count)]
        message += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
    }
    return message + Array("0\r\n\r\n".utf8)
}

/// A POST of content that is coded already: with its length, or in chunks of `chunkSize`.
func post(_ content: [UInt8], as coding: String? = "gzip", _ fields: String = "", chunkSize: Int? = nil) -> [UInt8] {
    let codingLine = coding.map { "Content-Encoding: \($0)\r\n" } ?? ""
    let framing = chunkSize == nil ? "Content-Length: \(content.count)" : "Transfer-Encoding: chunked"
    let head = "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\(codingLine)\(framing)\r\n\r\n"
    return Array(head.utf8) + (chunkSize.map { chunked(content, size: $0) } ?? content)
}

extension [UInt8] {
    init(hex: String) {
        let digits: [UInt8] = Array(hex.utf8)
        self = stride(from: 0, to: digits.count, by: 2).map { place in
            UInt8((digits[place].hexadecimalValue ?? 0) << 4 | (digits[place + 1].hexadecimalValue ?? 0))
        }
    }

    private static let someNoise = {
        var state: UInt64 = 1
        return (0..<100_003).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    private static let someDigits = someNoise.map { UInt8(ascii: "0") + $0 % 10 }

    /// Bytes that no coding makes shorter, the same ones each time; they repeat farther apart than any coder looks.
    static func noise(_ count: Int) -> [UInt8] { Self.someNoise.repeated(to: count) }

    /// Digits, which become about half as long.
    static func digits(_ count: Int) -> [UInt8] { Self.someDigits.repeated(to: count) }

    private func repeated(to count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count { result += self.prefix(count - result.count) }
        return result
    }
}
