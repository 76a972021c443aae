import HTTPTypes
import Testing

@testable import HTTPCore

@Suite("Responses (RFC 9112 §6, RFC 9110 §6.6.1, §9.3.2)")
struct ResponseHeadEncoderTests {
    private static func output(_ reply: HTTPReply, method: String = "GET", version: String = "1.1") throws -> String {
        var session = try TestSession()
        session.answer = { _ in reply }
        session.receive("\(method) / HTTP/\(version)\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        #expect(session.http.isIdle)
        return session.outcome.output
    }

    private static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    @Test("9112 §4, §6.1; 9110 §6.6.1: status line, fields in order, length, date, content")
    func whole() throws {
        let reply = HTTPReply(
            head: HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain", .allow: "GET"]),
            body: [.bytes(Array("ab".utf8)), .bytes(Array("c".utf8))]
        )
        #expect(
            try Self.output(reply)
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAllow: GET\r\nContent-Length: 3\r\n\(Self.date)\r\nabc"
        )
    }

    @Test("9110 §9.3.2: HEAD has the fields of GET and no content", arguments: [200, 404, 405])
    func head(status: Int) throws {
        let reply = HTTPReply(head: HTTPResponse(status: .init(code: status)), body: [.bytes([65])])
        let get = try Self.output(reply)
        #expect(try Self.output(reply, method: "HEAD") == String(get.dropLast()))
    }

    @Test("9110 §9.3.2: no content after a HEAD that the server itself refuses")
    func refusedHead() throws {
        var session = try TestSession()
        session.receive("HEAD / HTTP/1.1\r\n\r\n")
        #expect(session.outcome.output.contains("Content-Length: 12\r\n"))
        #expect(session.outcome.output.hasSuffix("\r\n\r\n"))
    }

    @Test("9110 §8.6, 9112 §6.3 (1): 204 and 304 have neither content nor length", arguments: [204, 304])
    func noContent(status: Int) throws {
        let reply = HTTPReply(head: HTTPResponse(status: .init(code: status, reasonPhrase: "x")), body: [.bytes([65])])
        #expect(try Self.output(reply) == "HTTP/1.1 \(status) x\r\n\(Self.date)\r\n")
    }

    @Test("9112 §6.1: one framing; the server's own fields are not the responder's business")
    func ownFields() throws {
        let fields: HTTPFields = [
            .contentLength: "7", .transferEncoding: "chunked", .connection: "close", .date: "now",
        ]
        let output = try Self.output(HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields)))
        #expect(output == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(Self.date)\r\n")
    }

    @Test("9112 §9.3: HTTP/1.0 is told that the connection goes on; there is no Transfer-Encoding")
    func http10() throws {
        let output = try Self.output(HTTPReply(head: HTTPResponse(status: .ok)), version: "1.0")
        #expect(output == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(Self.date)Connection: keep-alive\r\n\r\n")
    }

    @Test("9112 §11.1: nothing breaks out of its line")
    func responseSplitting() throws {
        var fields: HTTPFields = [.location: "/a\r\nSet-Cookie: b\u{0}c"]
        fields[.contentType] = "x"
        let output = try Self.output(HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields)))
        #expect(output.contains("Location: /a  Set-Cookie: b c\r\nContent-Type: x\r\n"))
    }

    @Test("9110 §5.6.7: dates")
    func dates() {
        let dates = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ]
        for (seconds, text) in dates {
            #expect(String(decoding: HTTPDate(seconds: seconds).text, as: UTF8.self) == text)
        }
    }
}
