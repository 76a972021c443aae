import Testing

@testable import HTTPCore

@Suite("Message framing (RFC 9112 §6)")
struct HeaderSectionTests {
    static let framing = "400 invalid_framing"
    static let tooLarge = "413 body_too_large"

    private static func post(_ fields: String, _ body: String = "", version: String = "1.1") -> String {
        "POST / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }

    static let lengths: [Clause] = [
        .accepts("9112 §6.3 (7): neither field", "POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .accepts("9112 §6: content with GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"),
        .accepts("9110 §8.6: zero", post("Content-Length: 0")),
        .accepts("9110 §8.6: leading zeros", post("Content-Length: 0002", "xy")),
        .refuses("9112 §6.3 (5): a sign", framing, post("Content-Length: +2", "xy")),
        .refuses("9112 §6.3 (5): negative", framing, post("Content-Length: -2", "xy")),
        .refuses("9112 §6.3 (5): hexadecimal", framing, post("Content-Length: 0x2", "xy")),
        .refuses("9112 §6.3 (5): a blank inside", framing, post("Content-Length: 2 2", "xy")),
        .refuses("9112 §6.3 (5): empty", framing, post("Content-Length: ", "xy")),
        .refuses("9112 §6.3 (5): a fraction", framing, post("Content-Length: 2.0", "xy")),
        .refuses("9112 §6.3 (5): Arabic digits", framing, post("Content-Length: ٢", "xy")),
        .refuses("9112 §6.3 (5): fullwidth digits", framing, post("Content-Length: ２", "xy")),
        .refuses("9110 §8.6: 2^63", tooLarge, post("Content-Length: 9223372036854775808")),
        .refuses("9110 §8.6: 2^32 + 2", tooLarge, post("Content-Length: 4294967298", "xy")),
        .refuses("9110 §8.6: 2^64 + 2", tooLarge, post("Content-Length: 18446744073709551618", "xy")),
        .refuses(
            "9110 §8.6: 400 digits",
            tooLarge,
            post("Content-Length: " + String(repeating: "9", count: 400))
        ),
        .refuses("9112 §6.3 (5): differing lines", framing, post("Content-Length: 2\r\nContent-Length: 3", "xyz")),
        .refuses("9112 §6.3 (5): a differing list", framing, post("Content-Length: 2, 3", "xyz")),
        .refuses("9110 §8.6: equal lines", framing, post("Content-Length: 2\r\nContent-Length: 2", "xy")),
        .refuses("9110 §8.6: an equal list", framing, post("Content-Length: 2,2", "xy")),
        .drops("9112 §6.3 (6): content that ends too early", post("Content-Length: 3", "xy")),
        .accepts(
            "9112 §9.3: the whole content is read before the next request",
            post("Content-Length: 16", "GET / HTTP/1.1\r\n") + "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            requests: 2
        ),
    ]

    static let codings: [Clause] = [
        .accepts("9112 §7.1: chunked", post("Transfer-Encoding: chunked", "0\r\n\r\n")),
        .accepts("9112 §7: names of codings in any case", post("Transfer-Encoding: cHuNkEd", "0\r\n\r\n")),
        .accepts("9110 §5.6.3: blanks around a coding", post("Transfer-Encoding: \tchunked ", "0\r\n\r\n")),
        .accepts("9110 §5.6.1.2: empty list members", post("Transfer-Encoding: ,chunked,", "0\r\n\r\n")),
        .refuses(
            "9112 §6.1: with Content-Length",
            framing,
            post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n")
        ),
        .refuses(
            "9112 §6.1: with Content-Length behind it",
            framing,
            post("Transfer-Encoding: chunked\r\nContent-Length: 0", "0\r\n\r\n")
        ),
        .refuses(
            "9112 §6.1: in HTTP/1.0",
            framing,
            post("Transfer-Encoding: chunked", "0\r\n\r\n", version: "1.0")
        ),
        .refuses(
            "9112 §6.1: a coding that is not understood",
            "501 unsupported_transfer_coding",
            post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")
        ),
        .refuses(
            "9112 §6.1: the same on two lines",
            "501 unsupported_transfer_coding",
            post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "0\r\n\r\n")
        ),
        .refuses("9112 §6.3 (4): chunked is missing", framing, post("Transfer-Encoding: gzip")),
        .refuses("9112 §6.3 (4): identity", framing, post("Transfer-Encoding: identity")),
        .refuses("9112 §6.3 (4): chunked is not the last", framing, post("Transfer-Encoding: chunked, gzip")),
        .refuses(
            "9112 §6.3 (4): the same on two lines",
            framing,
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")
        ),
        .refuses("9112 §6.1: chunked twice", framing, post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n")),
        .refuses("9112 §7.1: parameters", framing, post("Transfer-Encoding: chunked;q=1", "0\r\n\r\n")),
        .refuses("9112 §6.1: empty", framing, post("Transfer-Encoding:", "0\r\n\r\n")),
        .refuses("9112 §6.1: quoted", framing, post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n")),
        .refuses("9112 §6.1: something before it", framing, post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        .refuses("9110 §5.6.3: NBSP is no blank", framing, post("Transfer-Encoding: \u{A0}chunked", "0\r\n\r\n")),
        .refuses(
            "9110 §5.6.3: VT is no blank",
            "400 malformed_request",
            post("Transfer-Encoding: \u{B}chunked", "0\r\n\r\n")
        ),
    ]

    @Test(arguments: lengths + codings)
    func clause(_ clause: Clause) throws { try clause.check() }

    @Test("9110 §15.5.14: the limit of the content, and one byte more", arguments: [0, 1])
    func bodyLimit(excess: Int) throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 100
        let body = String(repeating: "x", count: 100 + excess)
        let outcome = try outcome(of: Self.post("Content-Length: \(body.count)", body), limits: limits)
        #expect(outcome.refusals == (excess == 0 ? [] : [Self.tooLarge]))
        #expect(outcome.requests.map(\.body) == (excess == 0 ? [body] : []))
    }
}
