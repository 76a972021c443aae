import HTTPTypes
import Testing

@testable import HTTPCore

@Suite("Time-outs (RFC 9110 §15.5.9, RFC 9112 §9.5)")
struct HTTPTimeoutsTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"

    @Test("The time of a head runs from its first byte, and further bytes do not renew it")
    func slowHead() throws {
        var session = try TestSession()
        session.wait(.seconds(70))
        for byte in Self.get.prefix(9) {
            session.receive(String(byte))
            session.wait(.seconds(1))
        }
        #expect(session.outcome.refusals == [])
        session.receive("x")
        session.wait(.milliseconds(999))
        #expect(session.outcome.refusals == [])
        session.wait(.milliseconds(1))
        #expect(session.outcome.refusals == ["408 request_timeout"])
        #expect(session.outcome.isOver)
    }

    @Test("9112 §9.5: an idle connection is closed without a word", arguments: ["", get, "\r\n", "\r"])
    func idle(before: String) throws {
        var session = try TestSession()
        session.receive(before)
        let output = session.outcome.output
        session.wait(.milliseconds(74_999))
        #expect(!session.http.isClosed)
        session.wait(.milliseconds(1))
        #expect(session.http.isClosed)
        #expect(session.outcome.output == output)
    }

    @Test("Content that comes just fast enough is taken, for however long")
    func slowContent() throws {
        var session = try TestSession()
        session.receive(Self.post)
        for _ in 0..<100 {
            session.receive(String(repeating: "x", count: 1_024))
            session.wait(.seconds(1))
        }
        #expect(session.outcome.refusals == [])
    }

    @Test("Content that comes too slowly, or stops coming, is refused")
    func tooSlowContent() throws {
        var session = try TestSession()
        session.receive(Self.post + String(repeating: "x", count: 500_000))
        for _ in 0..<19 { session.wait(.seconds(1)) }
        #expect(session.outcome.refusals == [])
        session.wait(.seconds(1))
        #expect(session.outcome.refusals == ["408 request_timeout"])
        #expect(session.recycledCount == 1)
    }

    @Test("A reply that is not taken ends the connection; each byte taken renews the time")
    func stalledReply() throws {
        var session = try TestSession()
        session.room = 0
        session.receive(Self.get)
        session.wait(.seconds(29))
        session.room = 1
        session.run()
        session.wait(.seconds(29))
        #expect(!session.http.isClosed)
        session.wait(.seconds(1))
        #expect(session.http.isClosed)
    }

    @Test("A responder may take its time")
    func slowResponder() throws {
        var session = try TestSession()
        session.answer = { _ in nil }
        session.receive(Self.get)
        session.wait(.seconds(1_000))
        session.answerLater(HTTPReply(head: HTTPResponse(status: .ok)))
        #expect(session.outcome.statuses == [200])
    }

    @Test("9112 §9.6: the server does not wait for ever for the client to close")
    func linger() throws {
        var session = try TestSession()
        session.receive("GET / HTTP/1.0\r\n\r\n")
        session.wait(.milliseconds(4_999))
        session.receive("x")
        #expect(!session.http.isClosed)
        session.wait(.milliseconds(1))
        #expect(session.http.isClosed)
    }

    @Test("Unwanted content that does not come ends the connection")
    func discard() throws {
        var session = try TestSession()
        session.admission = .answer(HTTPReply(head: HTTPResponse(status: .notFound)))
        session.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nxy")
        session.wait(.seconds(5))
        #expect(session.http.isClosed)
    }
}
