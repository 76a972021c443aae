import AlignedMemory
import HTTPTypes
import Testing

@testable import HTTPCore

@Suite("Connections (RFC 9112 §9, RFC 9110 §10.1.1)")
struct HTTPConnectionTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    private static func post(_ length: Int, _ fields: String = "", version: String = "1.1") -> String {
        "POST / HTTP/\(version)\r\nHost: a\r\nContent-Length: \(length)\r\n\(fields)\r\n"
    }

    @Test(
        "9112 §9.3, §9.6: who goes on after a reply",
        arguments: [
            ("1.1", "", nil),
            ("1.1", "Connection: close\r\n", "close"),
            ("1.1", "Connection: foo, ClOsE ,bar\r\n", "close"),
            ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", "close"),
            ("1.1", "Connection: keep-alive\r\n", nil),
            ("1.1", "Connection: closed\r\n", nil),
            ("1.0", "", "close"),
            ("1.0", "Connection: Keep-Alive\r\n", "keep-alive"),
            ("1.0", "Connection: keep-alive, close\r\n", "close"),
        ] as [(String, String, String?)]
    )
    func persistence(version: String, fields: String, said: String?) throws {
        let outcome = try outcome(of: "GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n" + Self.get)
        // 9112 §9.6: nothing received after `close` is processed.
        #expect(outcome.requests.count == (said == "close" ? 1 : 2))
        let first = outcome.output.split(separator: "HTTP/1.1 200 OK").first ?? ""
        #expect(first.contains("Connection:") == (said != nil))
        if let said { #expect(first.contains("Connection: \(said)\r\n")) }
    }

    @Test("9112 §9.6: having said close, the server ends its sending side, then waits for the client")
    func stagedClose() throws {
        var session = try TestSession()
        session.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(session.outcome.isOver)
        #expect(!session.http.isClosed)
        session.receive("late bytes")
        #expect(!session.http.isClosed)
        session.end()
        #expect(session.http.isClosed)
    }

    @Test("9112 §9.3.2: pipelined requests are answered in order, one each")
    func pipelining() throws {
        let requests = (0..<200).map { "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\(100 + $0)" }
        var session = try TestSession()
        session.receive(requests.joined())
        #expect(session.outcome.requests.map(\.body) == (0..<200).map { "\(100 + $0)" })
        #expect(session.outcome.statuses == Array(repeating: 200, count: 200))
    }

    @Test("9112 §9.3.2: while a request is in work nothing is read")
    func oneRequestInWork() throws {
        var session = try TestSession()
        session.answer = { _ in nil }
        session.receive(Self.get + Self.get)
        #expect(session.outcome.requests.count == 1)
        #expect(session.http.awaitsAnswer)
        session.answer = { .echo($0) }
        session.answerLater(HTTPReply(head: HTTPResponse(status: .ok)))
        #expect(session.outcome.statuses == [200, 200])
    }

    @Test("While the client does not take the reply, no further request is taken from it")
    func slowReader() throws {
        var session = try TestSession()
        session.room = 10
        session.receive(Self.get + Self.get)
        #expect(session.outcome.requests.count == 1)
        session.room = .max
        session.run()
        #expect(session.outcome.statuses == [200, 200])
    }

    @Test("A reply sent byte by byte is the same")
    func partialSends() throws {
        var session = try TestSession()
        session.answer = { message in
            HTTPReply(
                head: HTTPResponse(status: .ok),
                body: [.bytes([]), .bytes(Array("ab".utf8)), .bytes([]), .buffer(message.buffer!, 1..<3), .bytes([])]
            )
        }
        session.room = 0
        session.receive(Self.post(4) + "wxyz")
        for _ in 0..<500 {
            session.room = 1
            session.run()
        }
        #expect(session.outcome.output.hasSuffix("\r\nContent-Length: 4\r\nDate: \(Self.date)\r\n\r\nabxy"))
        #expect(session.http.isIdle)
    }

    static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    @Test("9112 §9.6: a client that has ended its side still gets its answer")
    func halfClose() throws {
        var session = try TestSession()
        session.answer = { _ in nil }
        session.receive(Self.post(2) + "xy")
        session.end()
        session.answerLater(HTTPReply(head: HTTPResponse(status: .ok)))
        #expect(session.outcome.statuses == [200])
        #expect(session.http.isClosed)
    }

    @Test("9112 §8: content that ends too early is never handled, and its memory is given back")
    func incompleteContent() throws {
        var session = try TestSession()
        session.receive(Self.post(100_000) + "xy")
        session.end()
        #expect(session.outcome.requests == [])
        #expect(session.recycledCount == 1)
        #expect(session.http.isClosed)
    }

    @Test("A client that has gone costs no memory, whatever the connection was doing", arguments: [1, 3])
    func abandon(bytesOfContent: Int) throws {
        var session = try TestSession()
        session.answer = { _ in nil }
        session.receive(Self.post(3) + String(repeating: "x", count: bytesOfContent))
        session.http.abandon()
        session.run()
        #expect(session.recycledCount == 1)
        #expect(session.http.isClosed)
        #expect(session.outcome.output == "")
    }

    @Test("9110 §10.1.1: 100 Continue is sent once, before the content")
    func expectContinue() throws {
        var session = try TestSession()
        session.receive(Self.post(2, "Expect: 100-Continue\r\n"))
        #expect(session.outcome.output == "HTTP/1.1 100 Continue\r\n\r\n")
        session.receive("xy")
        #expect(session.outcome.statuses == [100, 200])
        #expect(session.outcome.requests.map(\.body) == ["xy"])
    }

    @Test("9110 §10.1.1: 100 Continue before chunked content")
    func expectContinueChunked() throws {
        var session = try TestSession()
        session.receive("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        session.receive("2\r\nxy\r\n0\r\n\r\n")
        #expect(session.outcome.statuses == [100, 200])
    }

    @Test("9110 §10.1.1: no 100 Continue if the content is already there, or there is none")
    func needlessContinue() throws {
        var session = try TestSession()
        session.receive(Self.post(2, "Expect: 100-continue\r\n") + "x")
        session.receive("y" + Self.post(0, "Expect: 100-continue\r\n"))
        #expect(session.outcome.statuses == [200, 200])
    }

    @Test("9110 §15.2: no 1xx to an HTTP/1.0 client")
    func continueInHTTP10() throws {
        var session = try TestSession()
        session.receive(Self.post(2, "Expect: 100-continue\r\n", version: "1.0"))
        #expect(session.outcome.output == "")
        session.receive("xy")
        #expect(session.outcome.statuses == [200])
    }

    @Test("9110 §10.1.1: a refusal known from the head is the only answer")
    func refusalInsteadOfContinue() throws {
        var session = try TestSession()
        session.admission = .answer(HTTPReply(head: HTTPResponse(status: .notFound)))
        session.receive(Self.post(2, "Expect: 100-continue\r\n"))
        #expect(session.outcome.statuses == [404])
        #expect(session.outcome.isOver)
    }

    @Test("9110 §10.1.1: an unknown expectation", arguments: ["x", "100-continue, x", "100-continue;a=b"])
    func unknownExpectation(value: String) throws {
        let outcome = try outcome(of: Self.post(2, "Expect: \(value)\r\n"))
        #expect(outcome.refusals == ["417 expectation_failed"])
    }

    @Test("9112 §9.3: small unwanted content is thrown away, and the connection goes on")
    func unwantedContent() throws {
        var session = try TestSession()
        session.admission = .answer(HTTPReply(head: HTTPResponse(status: .notFound)))
        session.receive(Self.post(20) + "GET / HTTP")
        #expect(session.outcome.statuses == [404])
        session.receive("/1.1\r\n\r\n")
        session.admission = .receive(bodyOffset: 0, inlineLimit: 0)
        #expect(!session.outcome.isOver)
        session.receive(String(repeating: "x", count: 2) + Self.get)
        #expect(session.outcome.statuses == [404, 200])
    }

    @Test(
        "9112 §9.3: large or chunked unwanted content ends the connection",
        arguments: ["Content-Length: 70000", "Transfer-Encoding: chunked"]
    )
    func largeUnwantedContent(field: String) throws {
        var session = try TestSession()
        session.admission = .answer(HTTPReply(head: HTTPResponse(status: .notFound)))
        session.receive("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n" + Self.get)
        #expect(session.outcome.statuses == [404])
        #expect(session.outcome.output.contains("Connection: close\r\n"))
        #expect(session.outcome.isOver)
    }

    @Test("No memory for the content: 503 before it is read, with Retry-After")
    func noMemory() throws {
        var session = try TestSession()
        session.memory = 99
        session.receive(Self.post(100, "Expect: 100-continue\r\n"))
        #expect(session.outcome.refusals == ["503 overloaded"])
        #expect(session.outcome.output.contains("Retry-After: 1\r\n"))
    }

    @Test("Chunked content that outgrows the memory: 503, and what it had is given back")
    func noMemoryToGrow() throws {
        var session = try TestSession()
        session.memory = 100_000
        session.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFF\r\n")
        session.receive(String(repeating: "x", count: 65_536))
        #expect(session.outcome.refusals == ["503 overloaded"])
        #expect(session.recycledCount == 1)
    }

    @Test("What is only declared is not paid for; what arrives is, and memory that is full by then is a 503")
    func reservation() throws {
        let count = 10 << 20
        for memory in [9 << 20, count] {
            var session = try TestSession()
            session.memory = memory
            session.answer = { _ in HTTPReply(head: HTTPResponse(status: .ok)) }
            session.receive(Self.post(count))
            for start in stride(from: 0, to: count, by: 1 << 20) where session.outcome.statuses.isEmpty {
                #expect(session.recycledCount == 0 && session.allocatedBytes == count, "\(start)")
                session.receive(ArraySlice(repeating: 0, count: 1 << 20))
            }
            #expect(session.outcome.statuses == [memory == count ? 200 : 503])
            #expect(session.recycledCount == 1)
        }
    }

    @Test("The content stands where the responder wants it", arguments: [0, 1, 63])
    func bodyOffset(offset: Int) throws {
        var session = try TestSession()
        session.admission = .receive(bodyOffset: offset, inlineLimit: 2)
        session.receive(Self.post(3) + "xyz")
        let message = try #require(session.lastMessage)
        #expect(message.bodyRange == offset..<offset + 3)
        #expect(Int(bitPattern: message.buffer?.baseAddress) % AlignedBuffer.alignment == 0)
    }

    @Test(
        "Content up to the limit is answered at once, more on a worker",
        arguments: [(2, true), (3, true), (4, false)]
    )
    func inlineLimit(count: Int, isInline: Bool) throws {
        var http = try HTTPConnection(
            limits: HTTPLimits(),
            timeouts: HTTPTimeouts(),
            metrics: HTTPMetrics(memory: MemoryBudget(limit: .max)),
            at: .now()
        )
        var text = Array((Self.post(count) + String(repeating: "x", count: count)).utf8)
        while true {
            switch http.next(at: .now()) {
            case .receive(let space):
                space.copyBytes(from: text)
                http.received(text.count, at: .now())
                text = []
            case .admit:
                http.admitted(.receive(bodyOffset: 0, inlineLimit: 3), at: .now(), date: TestSession.date)
            case .allocate(let capacity, _, _): http.provided(try AlignedBuffer(capacity: capacity), at: .now())
            case .respond(_, let inline):
                #expect(inline == isInline)
                return
            default:
                Issue.record("no other step comes before the answer")
                return
            }
        }
    }

    @Test("Memory that the reply does not use is given back before the reply is taken", arguments: [false, true])
    func earlyRecycling(isUsed: Bool) throws {
        var session = try TestSession()
        session.answer = { isUsed ? .echo($0) : HTTPReply(head: HTTPResponse(status: .ok)) }
        session.room = 0
        session.receive(Self.post(3) + "xyz")
        #expect(session.recycledCount == (isUsed ? 0 : 1))
        session.room = .max
        session.run()
        #expect(session.recycledCount == 1)
    }

    @Test("The times of a request: its first byte, its last")
    func times() throws {
        var session = try TestSession()
        let text = Self.post(2)
        session.receive("\r\n")
        session.wait(.seconds(1))
        let first = session.now
        session.receive(String(text.prefix(1)))
        session.wait(.seconds(1))
        session.receive(String(text.dropFirst()) + "x")
        session.wait(.seconds(1))
        session.receive("y")
        #expect(session.lastMessage?.firstByteAt == first)
        #expect(session.lastMessage?.lastByteAt == session.now)
    }

    @Test("Draining: a request that is on its way is still answered, an idle connection is not waited for")
    func drainIdle() throws {
        var idle = try TestSession()
        idle.receive(Self.get)
        idle.http.drain(at: idle.now)
        idle.wait(.milliseconds(249))
        #expect(!idle.http.isClosed)
        idle.wait(.milliseconds(1))
        #expect(idle.http.isClosed)

        var waiting = try TestSession()
        waiting.wait(.seconds(70))
        waiting.http.drain(at: waiting.now)
        waiting.wait(.milliseconds(249))
        waiting.receive(Self.get)
        #expect(waiting.outcome.output.contains("Connection: close\r\n"))
        #expect(waiting.outcome.isOver)
    }

    @Test("Draining: a reply that did not say so is not the last")
    func drainWithinReply() throws {
        var session = try TestSession()
        session.room = 10
        session.receive(Self.get + Self.get)
        session.http.drain(at: session.now)
        session.room = .max
        session.run()
        #expect(session.outcome.statuses == [200, 200])
        #expect(session.outcome.output.hasSuffix("Connection: close\r\n\r\nok"))
        #expect(session.outcome.isOver)
    }

    @Test("Draining: after the last reply nobody is waited for as long as usual")
    func drainLinger() throws {
        var session = try TestSession()
        session.receive("GET / HTTP/1.0\r\n\r\n")
        session.http.drain(at: session.now)
        session.wait(.milliseconds(250))
        #expect(session.http.isClosed)
    }

    @Test("Draining: a request that is being read or worked on is answered, and ends the connection")
    func drain() throws {
        var reading = try TestSession()
        reading.receive("GET /")
        reading.http.drain(at: reading.now)
        reading.receive(" HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(reading.outcome.statuses == [200])
        #expect(reading.outcome.output.contains("Connection: close\r\n"))

        var working = try TestSession()
        working.answer = { _ in nil }
        working.receive(Self.get)
        working.http.drain(at: working.now)
        working.answerLater(HTTPReply(head: HTTPResponse(status: .ok)))
        #expect(working.outcome.output.contains("Connection: close\r\n"))
        #expect(working.outcome.isOver)
    }

    @Test("A connection that is turned away is told so", arguments: [HTTPError.overloaded, .draining])
    func turnedAway(error: HTTPError) throws {
        var session = try TestSession()
        session.http.refuse(error)
        session.run()
        #expect(session.outcome.statuses == [503])
        #expect(session.outcome.isOver)
    }

    @Test("The last request that a connection may have is told so, and none is taken after it", arguments: [1, 2, 5])
    func requestLimit(limit: Int) throws {
        var limits = HTTPLimits()
        limits.maxRequestsPerConnection = limit
        var session = try TestSession(limits: limits)
        session.receive(String(repeating: Self.get, count: 10))
        #expect(session.outcome.statuses == Array(repeating: 200, count: limit))
        #expect(session.outcome.output.split(separator: "Connection: close").count == 2)
        #expect(session.outcome.output.hasSuffix("Connection: close\r\n\r\nok"))
        #expect(session.outcome.isOver)
        #expect(session.metrics[.requestsPerConnection].value == 1)
    }

    @Test("0 is no limit; a client that closes anyway has not run into one")
    func noRequestLimit() throws {
        var limits = HTTPLimits()
        limits.maxRequestsPerConnection = 0
        var session = try TestSession(limits: limits)
        session.receive(String(repeating: Self.get, count: 100))
        #expect(session.outcome.statuses.count == 100 && session.http.isIdle)
        limits.maxRequestsPerConnection = 1
        session = try TestSession(limits: limits)
        session.receive("GET / HTTP/1.0\r\n\r\n")
        #expect(session.outcome.isOver)
        #expect(session.metrics[.requestsPerConnection].value == 0)
    }

    @Test("A small rest of known content is not waited for apart")
    func smallRest() throws {
        for (count, memory) in [(80 << 10, 80 << 10), (80 << 10 + 4, 64 << 10)] {
            var session = try TestSession()
            session.receive(Self.post(count))
            #expect(session.reservedBytes == memory)
        }
    }
}
