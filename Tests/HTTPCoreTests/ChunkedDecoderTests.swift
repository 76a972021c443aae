import Testing

@testable import HTTPCore

@Suite("Chunked content (RFC 9112 §7.1)")
struct ChunkedDecoderTests {
    static let framing = "400 invalid_framing"

    private static func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    @Test(
        "9112 §7.1: what is decoded",
        arguments: [
            ("0\r\n\r\n", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "abc"),
            ("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
            ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("0000003\r\nabc\r\n000\r\n\r\n", "abc"),
            ("3\r\n\r\n\r\r\n0\r\n\r\n", "\r\n\r"),
            ("3;a\r\nabc\r\n0;b=c;d=\"e;f\"\r\n\r\n", "abc"),
            ("3 ;a = b\r\nabc\r\n0\r\n\r\n", "abc"),
            ("3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", "abc"),
        ]
    )
    func decoded(text: String, body: String) throws {
        let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        let outcome = try outcome(of: Self.chunked(text) + next)
        #expect(outcome.refusals == [])
        #expect(outcome.requests.map(\.body) == [body, ""])
        #expect(outcome.requests.last?.path == "/next")
    }

    static let clauses: [Clause] = [
        .refuses("9112 §7.1: a sign", framing, chunked("+3\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: negative", framing, chunked("-3\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: a prefix", framing, chunked("0x3\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: an underscore", framing, chunked("1_0\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: a blank before the size", framing, chunked(" 3\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: a blank behind the size", framing, chunked("3 \r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: no size", framing, chunked("\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: no size but an extension", framing, chunked(";a\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: no hexadecimal digit", framing, chunked("g\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: a bare LF behind the size", framing, chunked("3\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: a bare CR behind the size", framing, chunked("3\rabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: a bare LF behind the data", framing, chunked("3\r\nabc\n0\r\n\r\n")),
        .refuses("9112 §7.1: a bare CR behind the data", framing, chunked("3\r\nabc\r0\r\n\r\n")),
        .refuses("9112 §7.1: no CRLF behind the data", framing, chunked("3\r\nabc0\r\n\r\n")),
        .refuses("9112 §7.1: data longer than the size", framing, chunked("2\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: data shorter than the size", framing, chunked("4\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: 2^32 + 3", "413 body_too_large", chunked("100000003\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: 2^64 + 3", "413 body_too_large", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1: 2^63", "413 body_too_large", chunked("8000000000000000\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1.1: LF in an extension", framing, chunked("3;a\nb\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1.1: CR in an extension", framing, chunked("3;a\rb\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1.1: CR in a quoted extension", framing, chunked("3;a=\"\r\n\"\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1.1: NUL in an extension", framing, chunked("3;a\u{0}\r\nabc\r\n0\r\n\r\n")),
        .refuses("9112 §7.1.2: a trailer without a name", "400 malformed_request", chunked("0\r\n: b\r\n\r\n")),
        .refuses("9112 §7.1.2: a trailer without a colon", "400 malformed_request", chunked("0\r\nab\r\n\r\n")),
        .refuses("9112 §7.1.2: a blank before the colon", "400 malformed_request", chunked("0\r\na : b\r\n\r\n")),
        .refuses("9112 §5.2: obs-fold in a trailer", "400 malformed_request", chunked("0\r\nA: b\r\n c\r\n\r\n")),
        .refuses("9110 §5.5: NUL in a trailer", "400 malformed_request", chunked("0\r\nA: \u{0}\r\n\r\n")),
        .refuses("9112 §2.2: a bare LF in a trailer", "400 malformed_request", chunked("0\r\nA: b\n\r\n")),
        .refuses("9112 §2.2: a bare LF at the end", "400 malformed_request", chunked("0\r\n\n")),
        .refuses("9112 §2.2: a bare CR at the end", "400 malformed_request", chunked("0\r\n\rG")),
        .drops("9112 §8: no last chunk", chunked("3\r\nabc\r\n")),
        .drops("9112 §8: no empty line at the end", chunked("3\r\nabc\r\n0\r\n")),
        .drops("9112 §8: half of the empty line", chunked("3\r\nabc\r\n0\r\n\r")),
        .drops("9112 §8: an end within the data", chunked("3\r\nab")),
    ]

    @Test(arguments: clauses)
    func clause(_ clause: Clause) throws { try clause.check() }

    @Test("9110 §6.5.1: trailers are never merged into the header section")
    func trailers() throws {
        let outcome = try outcome(of: Self.chunked("0\r\nHost: b\r\nContent-Length: 5\r\nContent-Type: x/y\r\n\r\n"))
        #expect(outcome.requests.first?.authority == "a")
        #expect(outcome.requests.first?.fields == ["Transfer-Encoding: chunked"])
    }

    @Test(
        "Limits of content, extensions and trailers, and one more",
        arguments: [
            ("64\r\n\(String(repeating: "x", count: 100))\r\n0\r\n\r\n", nil),
            ("65\r\n", "413 body_too_large"),
            ("63\r\n\(String(repeating: "x", count: 99))\r\n2\r\n", "413 body_too_large"),
            ("0;12345678\r\n\r\n", nil),
            ("0;123456789\r\n\r\n", framing),
            ("1;123\r\nx\r\n1;123\r\nx\r\n0;1\r\n\r\n", framing),
            ("0\r\nA: 12345678901234\r\n\r\n", nil),
            ("0\r\nA: 123456789012345\r\n\r\n", "431 head_too_large"),
            ("0\r\nA:\r\nB:\r\n\r\n", nil),
            ("0\r\nA:\r\nB:\r\nC:\r\n\r\n", "431 head_too_large"),
        ] as [(String, String?)]
    )
    func limits(text: String, refusal: String?) throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 100
        limits.maxChunkExtensionBytes = 9
        limits.maxTrailerBytes = 21
        limits.maxTrailerFieldCount = 2
        let outcome = try outcome(of: Self.chunked(text), limits: limits)
        #expect(outcome.refusals == [refusal].compactMap(\.self))
    }

    @Test("Content larger than any buffer arrives whole, and its memory grows with it")
    func growth() throws {
        var session = try TestSession()
        session.admission = .receive(bodyOffset: 5, inlineLimit: 0)
        let piece = String(repeating: "0123456789abcdef", count: 625)
        session.receive(Self.chunked(""))
        #expect(session.allocatedBytes == 5 + 65_536)
        for _ in 0..<30 { session.receive("2710\r\n\(piece)\r\n") }
        #expect(session.allocatedBytes < 2 * 300_000 + 5)
        session.receive("0\r\n\r\n")
        let message = try #require(session.lastMessage)
        #expect(message.bodyRange == 5..<300_005)
        #expect(session.outcome.requests.first?.body == String(repeating: piece, count: 30))
    }
}
