import AlignedMemory
import HTTPTypes
import Testing

@testable import HTTPCore

@Suite("Coded replies (RFC 9110 §12.5.3, §12.5.5)")
struct ReplyCodingTests {
    private static func get(_ fields: String = "Accept-Encoding: gzip\r\n", method: String = "GET") -> String {
        "\(method) / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    private static func reply(_ content: [UInt8], _ fields: HTTPFields = [:]) -> HTTPReply {
        HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: [.bytes(content)])
    }

    private static func session(_ reply: HTTPReply, level: Int = 1) throws -> TestSession {
        var limits = HTTPLimits()
        limits.compressionLevel = level
        var session = try TestSession(limits: limits)
        session.answer = { _ in reply }
        return session
    }

    /// The head of what was sent, and the content behind it.
    private static func parts(_ output: [UInt8]) -> (head: String, content: [UInt8]) {
        let end = output.indices.first { output[$0...].starts(with: "\r\n\r\n".utf8) } ?? output.count
        return (String(decoding: output[..<end], as: UTF8.self) + "\r\n", Array(output.dropFirst(end + 4)))
    }

    /// Reads a coded reply by sending its content back as that of a request.
    private static func content(of output: [UInt8], coding: String = "gzip") throws -> [UInt8] {
        let (head, content) = Self.parts(output)
        #expect(head.contains("\r\nContent-Encoding: \(coding)\r\nTransfer-Encoding: chunked\r\n"))
        #expect(!head.contains("Content-Length:"))
        var session = try TestSession()
        let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: \(coding)\r\nTransfer-Encoding: chunked\r\n\r\n"
        session.receive((Array(request.utf8) + content)[...])
        #expect(session.outcome.refusals == [])
        #expect(session.http.isIdle)
        return try #require(session.outcome.requests.first).content
    }

    @Test(
        "What a client wants it gets",
        arguments: [("gzip", "gzip"), ("deflate", "deflate"), ("x-gzip;q=0.5, deflate;q=0.1", "gzip")],
        [1_024, 16_384, 500_000]
    )
    func coded(accept: (value: String, coding: String), count: Int) throws {
        let content = [UInt8].digits(count)
        var session = try Self.session(Self.reply(content, [.contentType: "text/plain"]))
        session.receive(Self.get("Accept-Encoding: \(accept.value)\r\n"))
        #expect(session.http.isIdle)
        let output = session.outcome.outputBytes
        #expect(
            Self.parts(output).head
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nVary: Accept-Encoding\r\n"
                + "Content-Encoding: \(accept.coding)\r\nTransfer-Encoding: chunked\r\n"
                + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        )
        #expect(try Self.content(of: output, coding: accept.coding) == content)
        // One chunk at a time, and others may go before each.
        #expect(session.maxOutputCount <= 16_384 + 200)
        #expect(session.yieldCount >= (count + 16_383) / 16_384)
    }

    /// What was sent without a coding.
    private static func expectPlain(_ session: TestSession, _ content: [UInt8], varies: Bool = true) {
        let (head, sent) = Self.parts(session.outcome.outputBytes)
        #expect(head.contains("\r\nContent-Length: \(content.count)\r\n"))
        #expect(!head.contains("Content-Encoding") && !head.contains("Transfer-Encoding"))
        #expect(head.contains("\r\nVary: Accept-Encoding\r\n") == varies)
        #expect(sent == content)
        #expect(session.http.isIdle)
    }

    @Test(
        "9112 §6.1, 9110 §12.5.3: who gets it as it is",
        arguments: ["", "Accept-Encoding: br\r\n", "Accept-Encoding:\r\n"]
    )
    func unwanted(fields: String) throws {
        let content = [UInt8].digits(2_000)
        var session = try Self.session(Self.reply(content))
        session.receive(Self.get(fields))
        Self.expectPlain(session, content)
    }

    @Test("9112 §6.1: HTTP/1.0 has no chunks")
    func http10() throws {
        var session = try Self.session(Self.reply(.digits(2_000)))
        session.receive("GET / HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n")
        Self.expectPlain(session, .digits(2_000))
    }

    @Test("What would not become shorter, and what does not fit into the memory, goes as it is")
    func notWorthIt() throws {
        var noise = try Self.session(Self.reply(.noise(100_000)))
        noise.receive(Self.get())
        Self.expectPlain(noise, .noise(100_000))
        var poor = try TestSession(budget: MemoryBudget(limit: 100_000))
        poor.answer = { _ in Self.reply(.digits(100_000)) }
        poor.receive(Self.get())
        Self.expectPlain(poor, .digits(100_000))
    }

    @Test("The largest part decides, not the header before it")
    func largestPart() throws {
        let header = [UInt8].digits(5_000)
        for (tensor, isCoded) in [([UInt8].noise(6_000), false), (.digits(6_000), true), (.noise(4_000), true)] {
            let reply = HTTPReply(head: HTTPResponse(status: .ok), body: [.bytes(header), .bytes(tensor)])
            var session = try Self.session(reply)
            session.receive(Self.get())
            #expect(Self.parts(session.outcome.outputBytes).head.contains("Content-Encoding: gzip") == isCoded)
        }
    }

    @Test("Below 1024 bytes, at level 0, or where the responder says so, there is no choice, and so no Vary")
    func neverCoded() throws {
        var small = try Self.session(Self.reply(.digits(1_023)))
        small.receive(Self.get())
        Self.expectPlain(small, .digits(1_023), varies: false)
        var off = try Self.session(Self.reply(.digits(2_000)), level: 0)
        off.receive(Self.get())
        Self.expectPlain(off, .digits(2_000), varies: false)
        var reply = Self.reply(.digits(2_000))
        reply.mayBeCoded = false
        var forbidden = try Self.session(reply)
        forbidden.receive(Self.get())
        Self.expectPlain(forbidden, .digits(2_000), varies: false)
    }

    @Test("Content that the responder has coded itself stays as it is")
    func codedAlready() throws {
        var session = try Self.session(Self.reply(.digits(2_000), [.contentEncoding: "br"]))
        session.receive(Self.get())
        let (head, content) = Self.parts(session.outcome.outputBytes)
        #expect(head.contains("Content-Encoding: br\r\nContent-Length: 2000\r\n") && !head.contains("Vary"))
        #expect(content == .digits(2_000))
    }

    @Test(
        "9110 §12.5.5: Vary says what else it says, and this once",
        arguments: [
            ("Accept", "Accept, Accept-Encoding"), ("accept-encoding", "accept-encoding"), ("*", "*"),
            ("Accept, Accept-Encoding", "Accept, Accept-Encoding"),
        ]
    )
    func vary(own: String, said: String) throws {
        for accept in ["gzip", "identity"] {
            var session = try Self.session(Self.reply(.digits(2_000), [.vary: own]))
            session.receive(Self.get("Accept-Encoding: \(accept)\r\n"))
            let lines = Self.parts(session.outcome.outputBytes).head.split(separator: "\r\n")
            #expect(lines.filter { $0.hasPrefix("Vary:") } == ["Vary: \(said)"])
        }
    }

    @Test("9110 §9.3.2: HEAD has the fields of GET and no content", arguments: ["gzip", "deflate", "identity"])
    func head(accept: String) throws {
        let fields = "Accept-Encoding: \(accept)\r\n"
        var session = try Self.session(Self.reply(.digits(2_000)))
        session.receive(Self.get(fields))
        let get = Self.parts(session.outcome.outputBytes).head
        session.outcome = TestSession.Outcome()
        session.receive(Self.get(fields, method: "HEAD"))
        #expect(session.outcome.output == get + "\r\n")
        #expect(session.http.isIdle)
    }

    @Test("Sent byte by byte it is the same")
    func partialSends() throws {
        let content = [UInt8].digits(40_000)
        var session = try Self.session(Self.reply(content))
        session.receive(Self.get())
        let whole = session.outcome.outputBytes
        session.outcome = TestSession.Outcome()
        session.room = 0
        session.receive(Self.get() + Self.get())
        for _ in 0..<2 * whole.count {
            session.room = 1
            session.run()
        }
        #expect(session.outcome.outputBytes == whole + whole)
        #expect(session.outcome.requests.count == 2)
        #expect(session.http.isIdle)
    }

    @Test("9112 §9.6: the last reply says so, coded or not")
    func close() throws {
        var session = try Self.session(Self.reply(.digits(50_000)))
        session.receive(Self.get("Accept-Encoding: gzip\r\nConnection: close\r\n"))
        #expect(Self.parts(session.outcome.outputBytes).head.hasSuffix("Connection: close\r\n"))
        #expect(try Self.content(of: session.outcome.outputBytes) == .digits(50_000))
        #expect(session.outcome.isOver)
    }

    @Test("Draining: a coded reply that has begun is sent whole, and is not the last")
    func drain() throws {
        var session = try Self.session(Self.reply(.digits(50_000)))
        session.pausesAtYield = true
        session.receive(Self.get() + Self.get(""))
        session.run()
        session.http.drain(at: session.now)
        session.pausesAtYield = false
        session.run()
        #expect(session.outcome.statuses == [200, 200])
        let (head, rest) = Self.parts(session.outcome.outputBytes)
        #expect(!head.contains("Connection: close"))
        #expect(String(decoding: rest, as: UTF8.self).contains("\r\nConnection: close\r\n"))
        #expect(session.outcome.isOver)
    }

    private static func post(_ content: [UInt8]) -> [UInt8] {
        Array("POST / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nContent-Length: \(content.count)\r\n\r\n".utf8)
            + content
    }

    @Test("The body's memory is kept until the reply is coded, not until it is sent", arguments: [true, false])
    func recycling(isUsed: Bool) throws {
        var session = try TestSession()
        let other = HTTPReply(head: HTTPResponse(status: .ok), body: [.bytes(.digits(70_000))])
        session.answer = { isUsed ? .echo($0) : other }
        session.room = 0
        session.receive(Self.post(.digits(70_000))[...])
        #expect(session.recycledCount == (isUsed ? 0 : 1))
        while session.recycledCount == 0, session.outcome.outputBytes.count < 30_000 {
            session.room = 100
            session.run()
        }
        #expect(session.recycledCount == 1)
        // There is still something to send.
        #expect(!session.http.isIdle)
        session.room = .max
        session.run()
        #expect(try Self.content(of: session.outcome.outputBytes) == .digits(70_000))
        #expect(session.http.isIdle && session.recycledCount == 1)
    }

    @Test("A client that goes or stalls in the middle leaves nothing behind", arguments: [true, false])
    func gone(isReset: Bool) throws {
        var session = try TestSession()
        session.room = 5_000
        session.receive(Self.post(.digits(70_000))[...])
        #expect(session.outcome.outputBytes.count == 5_000)
        if isReset {
            session.http.abandon()
            session.run()
        } else {
            session.wait(.seconds(29))
            #expect(!session.http.isClosed)
            session.wait(.seconds(1))
        }
        #expect(session.http.isClosed)
        #expect(session.recycledCount == 1)
        #expect(session.http.codedContent == nil)
    }

    @Test("The client owes nothing while its reply is being coded")
    func slowServer() throws {
        var session = try Self.session(Self.reply(.digits(50_000)))
        session.pausesAtYield = true
        session.receive(Self.get())
        while !session.http.isIdle {
            session.wait(.seconds(100))
            #expect(!session.http.isClosed)
            session.run()
        }
        #expect(try Self.content(of: session.outcome.outputBytes) == .digits(50_000))
    }
}
