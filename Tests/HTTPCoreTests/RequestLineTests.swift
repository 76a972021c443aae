import Testing

@testable import HTTPCore

@Suite("The request-line (RFC 9112 §3)")
struct RequestLineTests {
    static let malformed = "400 malformed_request"
    static let version = "505 unsupported_http_version"

    private static func request(_ line: String) -> String { "\(line)\r\nHost: a\r\n\r\n" }

    static let clauses: [Clause] = [
        .refuses("9112 §3: two spaces before the target", malformed, request("GET  / HTTP/1.1")),
        .refuses("9112 §3: two spaces before the version", malformed, request("GET /  HTTP/1.1")),
        .refuses("9112 §3: a tab for a space", malformed, request("GET\t/ HTTP/1.1")),
        .refuses("9112 §3: a space at the end", malformed, request("GET / HTTP/1.1 ")),
        .refuses("9112 §3: a space at the start", malformed, request(" GET / HTTP/1.1")),
        .refuses("9112 §3: no target", malformed, request("GET HTTP/1.1")),
        .refuses("9110 §9.1: a method that is not a token", malformed, request("G@T / HTTP/1.1")),
        .refuses("9110 §9.1: a method in brackets", malformed, request("(GET) / HTTP/1.1")),
        .refuses("9110 §9.1: methods are case-sensitive", "501 unsupported_method", request("get / HTTP/1.1")),
        .refuses("9110 §9.1: an unknown method", "501 unsupported_method", request("BREW / HTTP/1.1")),
        .refuses(
            "9112 §3: a method longer than any known",
            "501 unsupported_method",
            request(String(repeating: "M", count: 500) + " / HTTP/1.1")
        ),
        .accepts("9110 §9.1: GET", request("GET / HTTP/1.1")),
        .accepts("9110 §9.1: HEAD", request("HEAD / HTTP/1.1")),
        .accepts("9110 §9.3: the others are the responder's business", request("DELETE / HTTP/1.1")),
        .accepts("9110 §9.3.8: TRACE is the responder's business", request("TRACE / HTTP/1.1")),
        .refuses("9112 §2.3: the version in lower case", malformed, request("GET / http/1.1")),
        .refuses("9112 §2.3: a version with two digits", malformed, request("GET / HTTP/1.10")),
        .refuses("9112 §2.3: a version without a point", malformed, request("GET / HTTP/1")),
        .refuses("9112 §2.3: a version that is no number", malformed, request("GET / HTTP/x.1")),
        .refuses("9112 §2.3: another protocol's name", malformed, request("GET / HTTQ/1.1")),
        .refuses("9110 §15.6.6: HTTP/2.0", version, request("GET / HTTP/2.0")),
        .refuses("9110 §15.6.6: HTTP/0.9 as a version", version, request("GET / HTTP/0.9")),
        .accepts("9110 §2.5: HTTP/1.2 is handled as 1.1", request("GET / HTTP/1.2")),
        .refuses("9112 §3: the form of HTTP/0.9", malformed, "GET /\r\n"),
        .refuses("9113 §3.4: the preface of HTTP/2", version, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .refuses("9112 §3.2: a relative target", malformed, request("GET x HTTP/1.1")),
        .refuses("9112 §3.2: a control character", malformed, request("GET /\u{1} HTTP/1.1")),
        .refuses("9112 §3.2: DEL", malformed, request("GET /\u{7F} HTTP/1.1")),
        .refuses("9112 §3.2: an 8-bit character", malformed, request("GET /é HTTP/1.1")),
        .refuses("9112 §3.2: a fragment", malformed, request("GET /a#b HTTP/1.1")),
        .refuses("9112 §3.2.3: authority-form with GET", malformed, request("GET a:80 HTTP/1.1")),
        .refuses("9110 §9.3.6: CONNECT", "501 unsupported_method", request("CONNECT a:80 HTTP/1.1")),
        .refuses("9112 §3.2.4: * with GET", malformed, request("GET * HTTP/1.1")),
        .accepts("9112 §3.2.4: * with OPTIONS", request("OPTIONS * HTTP/1.1")),
        .refuses("9110 §4.2.1: an empty host", malformed, request("GET http:///x HTTP/1.1")),
        .refuses("9110 §4.2.1: a port without a host", malformed, request("GET http://:80/x HTTP/1.1")),
        .refuses("9110 §4.2.4: user information", malformed, request("GET http://u@a/x HTTP/1.1")),
        .refuses("9112 §3.2.2: a scheme that is not served", malformed, request("GET ftp://a/x HTTP/1.1")),
        .refuses("9112 §3.2.2: a scheme alone", malformed, request("GET http: HTTP/1.1")),
    ]

    @Test(arguments: clauses)
    func clause(_ clause: Clause) throws { try clause.check() }

    @Test(
        "9112 §3.2.2: absolute-form; its host wins",
        arguments: [
            ("GET http://b:81/x?y HTTP/1.1", "/x?y", "b:81"),
            ("GET HTTP://b HTTP/1.1", "/", "b"),
            ("GET https://[::1]?y HTTP/1.1", "/?y", "[::1]"),
            ("OPTIONS http://b HTTP/1.1", "*", "b"),
            ("GET //b/x HTTP/1.1", "//b/x", "a"),
        ]
    )
    func absoluteForm(line: String, path: String, authority: String) throws {
        let request = try #require(try outcome(of: Self.request(line)).requests.first)
        #expect(request.path == path)
        #expect(request.authority == authority)
    }

    @Test("3986 §2.1: escapes in the target are left as they are", arguments: ["/a%2Fb", "/%00", "/%0d%0a", "/%zz"])
    func escapes(target: String) throws {
        #expect(try outcome(of: Self.request("GET \(target) HTTP/1.1")).requests.first?.path == target)
    }
}
