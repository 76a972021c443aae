import AlignedMemory
import HTTPTypes
import Testing

@testable import HTTPCore

@Suite("Coded content of requests (RFC 9110 §8.4, RFC 1950, RFC 1952)")
struct ContentCodingTests {
    static let text = "normalize normalize normalize 1.0, 2.5, 3.25, 1.0, 2.5, 3.25; the end"

    // Made by Python's zlib.
    static let deflated = "cbcb2fca4dccc9ac4a55c8c3c232d433d05130d233d55130d6330292a87c6b85928c5485d4bc1400"
    static let trailer = "b028125545000000"
    static let gzip = "1f8b0800000000000203" + deflated + trailer
    static let zlib = "78da" + deflated + "18dc141b"
    static let emptyMember = "1f8b080000000000020303000000000000000000"
    static let stored =
        "1f8b0800000000000403014500baff6e6f726d616c697a65206e6f726d616c697a65206e6f726d616c697a6520312e302c20322e352c"
        + "20332e32352c20312e302c20322e352c20332e32353b2074686520656e64" + trailer
    static let huffmanOnly =
        "1f8b080000000000020305c1d109c0300805c055de002289c1af4c13a850211a08fd72fadee5b9b1b69721cf8db5bd0c796eaced65e8"
        + "dc08c24a182c4ae8dc08c24a182c3af1bd06cbe707" + trailer
    /// With the header's every field: FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT.
    static let longHeader =
        "1f8b081f010203040003050065787472616e616d652e6a736f6e006120636f6d6d656e74005950" + deflated + trailer

    @Test(
        "9110 §8.4.1: what is understood, however it is framed",
        arguments: [
            ("gzip", gzip), ("x-gzip", gzip), ("GZip", gzip), (" gzip\t", gzip), (",gzip,", gzip), ("deflate", zlib),
            ("Deflate", zlib), ("gzip", stored), ("gzip", huffmanOnly), ("gzip", longHeader),
            ("gzip", emptyMember + gzip), ("gzip", gzip + emptyMember + emptyMember),
        ],
        [nil, 1, 50]
    )
    func understood(content: (coding: String, hex: String), chunkSize: Int?) throws {
        let outcome = try outcome(of: post([UInt8](hex: content.hex), as: content.coding, chunkSize: chunkSize))
        #expect(outcome.refusals == [])
        #expect(outcome.requests.map(\.body) == [Self.text])
    }

    @Test("9110 §8.4.1: identity, in any way of saying it", arguments: ["identity", "IDENTITY", "", ", ,"])
    func identity(coding: String) throws {
        #expect(try outcome(of: post(Array("abc".utf8), as: coding)).requests.map(\.body) == ["abc"])
    }

    @Test(
        "9110 §15.5.16: other codings, and more than one",
        arguments: [
            "br", "zstd", "compress", "x-deflate", "gzipped", "gzip;q=1", "gzip deflate", "gzip, gzip", "gzip, deflate",
            "identity, gzip", "gzip, identity", "gzip\r\nContent-Encoding: gzip", "identity\r\nContent-Encoding: br",
        ],
        [nil, 10]
    )
    func unsupported(coding: String, chunkSize: Int?) throws {
        let outcome = try outcome(of: post([UInt8](hex: Self.gzip), as: coding, chunkSize: chunkSize))
        #expect(outcome.refusals == ["415 unsupported_content_coding"])
        #expect(outcome.requests == [])
        #expect(outcome.output.contains("\r\nAccept-Encoding: gzip, deflate\r\n"))
        #expect(outcome.output.contains("\r\nConnection: close\r\n"))
    }

    @Test("A request that is refused for another reason is told that one")
    func refusedAnyway() throws {
        var session = try TestSession()
        session.admission = .answer(HTTPReply(head: HTTPResponse(status: .notFound)))
        session.receive(post([1, 2, 3], as: "br")[...])
        #expect(session.outcome.statuses == [404])
        #expect(!session.outcome.isOver)
    }

    @Test("9110 §10.1.1: the coding is judged before 100 Continue is sent", arguments: ["br", "gzip"])
    func expectContinue(coding: String) throws {
        var session = try TestSession()
        let content = [UInt8](hex: Self.gzip)
        let message = post(content, as: coding, "Expect: 100-continue\r\n")
        session.receive(message.dropLast(content.count))
        #expect(session.outcome.statuses == [coding == "gzip" ? 100 : 415])
        guard coding == "gzip" else { return }
        session.receive(content[...])
        #expect(session.outcome.requests.map(\.body) == [Self.text])
    }

    @Test("Without content there is no coding to undo; a member without content is one")
    func noContent() throws {
        #expect(try outcome(of: post([])).requests.map(\.body) == [""])
        #expect(try outcome(of: post([UInt8](hex: Self.emptyMember))).requests.map(\.body) == [""])
        // Content of no length that is known must be what it says.
        #expect(try outcome(of: post([], chunkSize: 1)).refusals == ["400 invalid_content_coding"])
    }

    @Test("Coded and other requests, one after the other on one connection")
    func pipelining() throws {
        let messages = [
            post([UInt8](hex: Self.gzip)), post(Array("plain".utf8), as: nil),
            post([UInt8](hex: Self.zlib), as: "deflate"),
            post([UInt8](hex: Self.gzip + Self.gzip), chunkSize: 3), post(Array("plain".utf8), as: nil, chunkSize: 2),
        ]
        let outcome = try outcome(of: messages.flatMap(\.self))
        #expect(outcome.requests.map(\.body) == [Self.text, "plain", Self.text, Self.text + Self.text, "plain"])
    }

    @Test(
        "Content of every size comes out as it went in",
        arguments: [0, 1, 1_023, 1_024, 65_535, 65_536, 65_537, 131_072, 262_144, 2_000_000],
        [ContentCoding.gzip, .deflate]
    )
    func roundTrip(count: Int, coding: ContentCoding) throws {
        let contents = [[UInt8].digits(count), [UInt8](repeating: 0, count: count), [UInt8].noise(count)]
        for (content, chunkSize) in zip(contents, [nil, 3_000, 70_000]) {
            var session = try TestSession()
            session.admission = .receive(bodyOffset: 9, inlineLimit: 0)
            session.receive(post(try coded(content, coding), as: "\(coding.name)", chunkSize: chunkSize)[...])
            #expect(session.outcome.requests.map { $0.content == content } == [true])
        }
    }

    @Test("The memory grows with what comes out, no more than twice as large, and zlib's is counted")
    func memory() throws {
        var session = try TestSession()
        session.answer = { _ in HTTPReply(head: HTTPResponse(status: .ok)) }
        session.memory = 64 << 10 + Inflater.memory
        session.receive(post(try coded(.digits(64 << 10)))[...])
        #expect(session.outcome.statuses == [200])
        session.receive(post(try coded(.digits(64 << 10 + 1)))[...])
        #expect(session.outcome.refusals == ["503 overloaded"])
        #expect(session.recycledCount == 2)

        var poor = try TestSession()
        poor.memory = 64 << 10 + Inflater.memory - 1
        poor.receive(post([UInt8](hex: Self.gzip))[...])
        #expect(poor.outcome.refusals == ["503 overloaded"])
    }

    @Test("No step takes long; what others take of the time is not held against the client")
    func turns() throws {
        var session = try TestSession()
        session.pausesAtYield = true
        session.receive(post(try coded([UInt8](repeating: 0, count: 4 << 20), level: 9))[...])
        var turns = 0
        while session.outcome.requests.isEmpty {
            turns += 1
            try #require(session.yieldCount == turns)
            session.wait(.seconds(20))
            session.run()
        }
        #expect((14...16).contains(turns))
        #expect(session.lastMessage?.bodyRange.count == 4 << 20)
    }

    @Test("A client that goes leaves nothing behind")
    func gone() throws {
        let content = try coded(.digits(300_000))
        for isReset in [false, true] {
            var session = try TestSession()
            session.receive(post(content).dropLast(1_000))
            if isReset {
                session.http.abandon()
                session.run()
            } else {
                session.end()
            }
            #expect(session.outcome.requests == [] && session.outcome.output == "")
            #expect(session.recycledCount == 1)
            #expect(session.http.isClosed)
            #expect(session.http.inflater == nil)
        }
    }

    @Test("The rate of a client is that of the bytes it sends, not of what they become")
    func slowClient() throws {
        var session = try TestSession()
        let content = try coded([UInt8](repeating: 0, count: 100 << 20))
        session.receive(post(content).dropLast(content.count))
        for start in stride(from: 0, to: 9_000, by: 900) {
            session.receive(content[start..<start + 900])
            session.wait(.seconds(1))
        }
        #expect(session.outcome.refusals == ["408 request_timeout"])
        #expect(session.recycledCount == 1)
    }
}
