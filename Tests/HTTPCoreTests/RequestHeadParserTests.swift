import Testing

@testable import HTTPCore

@Suite("Reading the message head (RFC 9112 §2, §5)")
struct RequestHeadParserTests {
    static let malformed = "400 malformed_request"

    static let clauses: [Clause] = [
        .accepts("9112 §2.1: a request with nothing but a host", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .accepts("9112 §2.2: empty lines before the request-line", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .accepts(
            "9112 §2.2: an empty line after the content of a POST",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            requests: 2
        ),
        .refuses("9112 §2.2: a bare LF ends no line", malformed, "GET / HTTP/1.1\nHost: a\n\n"),
        .refuses("9112 §2.2: a bare LF ends no field", malformed, "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n"),
        .refuses("9112 §2.2: a bare LF ends no head", malformed, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        .refuses("9112 §2.2: a bare CR in the request-line", malformed, "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refuses("9112 §2.2: a bare CR as a line end", malformed, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        .refuses("9112 §2.2: a bare CR in a field", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: c\rd\r\n\r\n"),
        .refuses("9112 §2.2: a CR before CRLF", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\r\n\r\n"),
        .refuses("9112 §2.2: CR and something else", malformed, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refuses("9112 §2.2: white space before the first field", malformed, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .refuses("9112 §5.1: white space before the colon", malformed, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        .refuses("9112 §5.1: a tab before the colon", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB\t: a\r\n\r\n"),
        .refuses("9110 §5.1: an empty name", malformed, "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
        .refuses("9110 §5.1: a space in a name", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB c: d\r\n\r\n"),
        .refuses("9110 §5.1: a delimiter in a name", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB(c): d\r\n\r\n"),
        .refuses(
            "9110 §5.1: a control character in a name",
            malformed,
            "GET / HTTP/1.1\r\nHost: a\r\nB\u{1}: d\r\n\r\n"
        ),
        .refuses("9110 §5.1: an 8-bit character in a name", malformed, "GET / HTTP/1.1\r\nHost: a\r\nBé: d\r\n\r\n"),
        .refuses("9110 §5.1: no colon", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB\r\n\r\n"),
        .accepts("9110 §5.1: names in any case", "GET / HTTP/1.1\r\nhOsT: a\r\n\r\n"),
        .accepts("9110 §5.5: blanks around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\nB:c\r\n\r\n"),
        .accepts("9110 §5.5: an empty value", "GET / HTTP/1.1\r\nHost: a\r\nB:\r\nC: \r\n\r\n"),
        .accepts("9110 §5.5: obs-text", "GET / HTTP/1.1\r\nHost: a\r\nB: é\u{80}\r\n\r\n"),
        .refuses("9110 §5.5: NUL in a value", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: c\u{0}d\r\n\r\n"),
        .refuses(
            "9110 §5.5: a control character in a value",
            malformed,
            "GET / HTTP/1.1\r\nHost: a\r\nB: \u{7}\r\n\r\n"
        ),
        .refuses("9110 §5.5: DEL in a value", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: \u{7F}\r\n\r\n"),
        .refuses("9110 §5.6.3: VT is no blank", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: \u{B}c\r\n\r\n"),
        .refuses("9112 §5.2: obs-fold", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n"),
        .refuses("9112 §5.2: obs-fold with a tab", malformed, "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\td\r\n\r\n"),
        .refuses(
            "9112 §5.2: obs-fold in Transfer-Encoding",
            malformed,
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"
        ),
        .refuses(
            "9110 §5.3: a repeated Content-Type",
            malformed,
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\ncontent-type: a/b\r\n\r\n"
        ),
        .refuses("9112 §3: another protocol", malformed, "\u{16}\u{3}\u{1}"),
        .drops("9110 §5.3: nothing is done before the header section is whole", "GET / HTTP/1.1\r\nHost: a\r\n"),
        .drops("9112 §9.5: nothing but an empty line", "\r\n"),
    ]

    @Test(arguments: clauses)
    func clause(_ clause: Clause) throws { try clause.check() }

    @Test("9110 §5.3, §5.5: fields keep their order and their bytes; Host becomes the authority")
    func fields() throws {
        let outcome = try outcome(
            of: "GET /p?q=%2F HTTP/1.1\r\nX-A: 1\r\nHost: a:80\r\naccept:  text/html ,b\t\r\nX-A: 2\r\nB:\r\n\r\n"
        )
        #expect(
            outcome.requests == [
                TestSession.Seen(
                    method: "GET",
                    path: "/p?q=%2F",
                    authority: "a:80",
                    fields: ["X-A: 1", "accept: text/html ,b", "X-A: 2", "B: "],
                    content: []
                )
            ]
        )
    }

    private static func request(target: String = "/", fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    @Test("9112 §3: the request-line's limit, and one byte more", arguments: [0, 1])
    func requestLineLimit(excess: Int) throws {
        var limits = HTTPLimits()
        limits.maxRequestLineBytes = 100
        let target = "/" + String(repeating: "x", count: 100 - "GET / HTTP/1.1".count + excess)
        let outcome = try outcome(of: Self.request(target: target), limits: limits)
        #expect(outcome.refusals == (excess == 0 ? [] : ["414 uri_too_long"]))
    }

    @Test("9112 §3: an endless target is refused without waiting for its end")
    func endlessTarget() throws {
        var session = try TestSession()
        session.receive("GET /" + String(repeating: "x", count: 17_000))
        #expect(session.outcome.refusals == ["414 uri_too_long"])
    }

    @Test("9112 §3: a request-line of 8000 octets works")
    func longTarget() throws {
        var session = try TestSession()
        session.receive(Self.request(target: "/" + String(repeating: "x", count: 7_986)))
        #expect(session.outcome.statuses == [200])
    }

    @Test("9110 §5.4, 6585 §5: the header section's limit, and one byte more", arguments: [0, 1])
    func headLimit(excess: Int) throws {
        let empty = Self.request(fields: "B: \r\n")
        var limits = HTTPLimits()
        limits.maxHeadBytes = empty.utf8.count + 200
        let field = "B: " + String(repeating: "x", count: 200 + excess) + "\r\n"
        let outcome = try outcome(of: Self.request(fields: field), limits: limits)
        #expect(outcome.refusals == (excess == 0 ? [] : ["431 head_too_large"]))
    }

    @Test("9110 §5.4: an endless field is refused without waiting for its end")
    func endlessField() throws {
        var session = try TestSession()
        session.receive("GET / HTTP/1.1\r\nB: " + String(repeating: "x", count: 33_000))
        #expect(session.outcome.refusals == ["431 head_too_large"])
    }

    @Test("6585 §5: the number of fields, and one more", arguments: [0, 1])
    func fieldCount(excess: Int) throws {
        var limits = HTTPLimits()
        limits.maxFieldCount = 5
        let fields = String(repeating: "B: c\r\n", count: 4 + excess)
        let outcome = try outcome(of: Self.request(fields: fields), limits: limits)
        #expect(outcome.refusals == (excess == 0 ? [] : ["431 too_many_fields"]))
    }

    @Test("A head of the largest size passes with the standard limits")
    func largestHead() throws {
        var session = try TestSession()
        let head = Self.request(fields: "B: \r\n").utf8.count
        let field = "B: " + String(repeating: "x", count: HTTPLimits().maxHeadBytes - head) + "\r\n"
        session.receive(Self.request(fields: field))
        #expect(session.outcome.statuses == [200])
    }
}
