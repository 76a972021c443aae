import Testing

@testable import HTTPCore

@Suite("Host (RFC 9112 §3.2, RFC 3986 §3.2.2)")
struct AuthorityTests {
    static let invalid = "400 invalid_host"

    static let clauses: [Clause] = [
        .refuses("9112 §3.2: HTTP/1.1 without Host", invalid, "GET / HTTP/1.1\r\n\r\n"),
        .refuses("9112 §3.2: absolute-form without Host", invalid, "GET http://a/ HTTP/1.1\r\n\r\n"),
        .refuses("9112 §3.2: two Hosts that differ", invalid, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        .refuses("9112 §3.2: two Hosts that agree", invalid, "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
        .refuses("9112 §3.2: two Hosts in HTTP/1.0", invalid, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        .refuses("9112 §3.2: an invalid Host in HTTP/1.0", invalid, "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n"),
        .accepts("9110 §7.2: HTTP/1.0 needs none", "GET / HTTP/1.0\r\n\r\n"),
    ]

    @Test(arguments: clauses)
    func clause(_ clause: Clause) throws { try clause.check() }

    @Test(
        "9110 §7.2, 3986 §3.2.2: valid values",
        arguments: [
            "a", "a.b-c", "a:80", "a:", "a:99999", "127.0.0.1:8080", "[::1]", "[::1]:80", "[::ffff:1.2.3.4]",
            "[v1.a:b]",
            "a,b", "a_b", "%41b",
        ]
    )
    func valid(host: String) throws {
        #expect(try outcome(of: "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").requests.first?.authority == host)
    }

    @Test(
        "9112 §3.2, §3.3: invalid values",
        arguments: [
            "", ":80", "a/b", "u@a", "a b", "a:b", "a:-1", "a:8:0", "[::1", "[]", "[::g]", "[::1]x", "[1.2.3.4]",
            "[v1.]",
            "[fe80::1%25e]", "é", "a%4", "a%zz", "http://a", "a?b", "a\\b", "<a>",
        ]
    )
    func invalid(host: String) throws {
        #expect(try outcome(of: "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").refusals == [Self.invalid])
    }
}
