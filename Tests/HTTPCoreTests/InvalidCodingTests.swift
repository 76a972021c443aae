import Testing

@testable import HTTPCore

@Suite("Coded content that is not what it says, or too much")
struct InvalidCodingTests {
    private typealias Valid = ContentCodingTests

    private static let refusal = ["400 invalid_content_coding"]

    /// - Returns: whether the request was answered, and so with the right content.
    private static func isTaken(_ content: [UInt8], as coding: String, chunkSize: Int? = nil) throws -> Bool {
        var session = try TestSession()
        session.receive(post(content, as: coding, chunkSize: chunkSize)[...])
        session.end()
        if session.outcome.requests.isEmpty {
            #expect(session.outcome.refusals == Self.refusal)
            #expect(session.recycledCount == 1)
        } else {
            #expect(session.outcome.refusals == [])
            #expect(session.outcome.requests.map(\.body) == [Valid.text])
        }
        return !session.outcome.requests.isEmpty
    }

    @Test(
        "RFC 1952 §2.3, RFC 1950 §2.2: another format, wrong sums, what comes behind the end",
        arguments: [
            ("gzip", Valid.zlib), ("gzip", Valid.deflated), ("deflate", Valid.gzip), ("deflate", Valid.deflated),
            ("gzip", "1f8b0800000000000203" + Valid.deflated + "b128125545000000"),
            ("gzip", "1f8b0800000000000203" + Valid.deflated + "b028125546000000"),
            ("deflate", "78da" + Valid.deflated + "18dc141c"),
            // A method other than deflate, reserved flags, a wrong sum of the header.
            ("gzip", "1f8b0700000000000203" + Valid.deflated + Valid.trailer),
            ("gzip", "1f8b0820000000000203" + Valid.deflated + Valid.trailer),
            ("gzip", "1f8b08020000000002030000" + Valid.deflated + Valid.trailer),
            // A dictionary that nobody agreed on.
            ("deflate", "78f955b607e3c3cf32d433d05130d233d55130d6330292a87c6b85928c5485d4bc140018dc141b"),
            // A distance back to before the beginning.
            ("deflate", "78da03020000000001"),
            ("gzip", Valid.gzip + "00"), ("gzip", Valid.gzip + "0a"), ("gzip", Valid.gzip + "1f"),
            ("gzip", Valid.gzip + "1f8b"), ("gzip", Valid.gzip + Valid.zlib), ("deflate", Valid.zlib + "00"),
            ("deflate", Valid.zlib + Valid.zlib),
        ],
        [nil, 3]
    )
    func refused(content: (coding: String, hex: String), chunkSize: Int?) throws {
        let outcome = try outcome(of: post([UInt8](hex: content.hex), as: content.coding, chunkSize: chunkSize))
        #expect(outcome.refusals == Self.refusal)
        #expect(outcome.requests == [])
        #expect(outcome.output.contains("\r\nConnection: close\r\n"))
        #expect(outcome.isOver)
    }

    @Test("Cut anywhere", arguments: [("gzip", Valid.gzip), ("deflate", Valid.zlib), ("gzip", Valid.longHeader)])
    func cut(coding: String, hex: String) throws {
        let content = [UInt8](hex: hex)
        for count in 1..<content.count {
            #expect(try !Self.isTaken(Array(content[..<count]), as: coding), "\(count)")
            #expect(try !Self.isTaken(Array(content[..<count]), as: coding, chunkSize: 9), "\(count)")
        }
    }

    // In gzip's header what means nothing: a hint, the time, hints on the coder and the system. In both the padding
    // behind the last block. Python's zlib lets the same ones pass.
    @Test("Any bit the other way round", arguments: [("gzip", Valid.gzip, 51), ("deflate", Valid.zlib, 2)])
    func flipped(coding: String, hex: String, harmlessCount: Int) throws {
        let content = [UInt8](hex: hex)
        let harmless = try (0..<8 * content.count).count { bit in
            var damaged = content
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            return try Self.isTaken(damaged, as: coding, chunkSize: bit % 2 == 0 ? nil : 5)
        }
        #expect(harmless == harmlessCount)
    }

    @Test("Framing that breaks within coded content is told as such")
    func brokenFraming() throws {
        let content = [UInt8](hex: Valid.gzip)
        let message = post(content, chunkSize: 20).dropLast(5)
        #expect(try outcome(of: message + Array("x\r\n".utf8)).refusals == ["400 invalid_framing"])
        #expect(try outcome(of: message + Array("0\r\nx\r\n".utf8)).refusals == ["400 malformed_request"])
    }

    @Test("9110 §15.5.14: as much as the limit is taken, a byte more is not", arguments: [nil, 1, 50])
    func limit(chunkSize: Int?) throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 200
        for (count, coding) in [(199, "gzip"), (200, "gzip"), (201, "gzip"), (200, "deflate"), (201, "deflate")] {
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            let content = try coded(body, coding == "gzip" ? .gzip : .deflate)
            let outcome = try outcome(of: post(content, as: coding, chunkSize: chunkSize), limits: limits)
            #expect(outcome.refusals == (count > 200 ? ["413 body_too_large"] : []))
            #expect(outcome.requests.map(\.body.utf8.count) == (count > 200 ? [] : [count]))
        }
    }

    @Test("At the limit the stream must still end as it should", arguments: [nil, 1, 50])
    func limitAndMore(chunkSize: Int?) throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 200
        let content = try coded([UInt8](repeating: 0, count: 200))
        let emptyMember = [UInt8](hex: Valid.emptyMember)
        let endings: [([UInt8], String?)] = [
            (content + emptyMember, nil), (content + (try coded([1])), "413 body_too_large"),
            (content.dropLast(), "400 invalid_content_coding"), (content + [0], "400 invalid_content_coding"),
        ]
        for (content, refusal) in endings {
            let outcome = try outcome(of: post(content, chunkSize: chunkSize), limits: limits)
            #expect(outcome.refusals == [refusal].compactMap(\.self))
        }
    }

    @Test("The limit holds for what is sent as well", arguments: [nil, 64])
    func codedLimit(chunkSize: Int?) throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 100
        let emptyMember = [UInt8](hex: Valid.emptyMember)
        let five = (0..<5).flatMap { _ in emptyMember }
        #expect(try outcome(of: post(five, chunkSize: chunkSize), limits: limits).requests.map(\.body) == [""])
        let six = try outcome(of: post(five + emptyMember, chunkSize: chunkSize), limits: limits)
        #expect(six.refusals == ["413 body_too_large"])
    }

    @Test("A bomb goes no further than the limit", arguments: [nil, 10_000])
    func bomb(chunkSize: Int?) throws {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 3 << 20
        let content = try coded([UInt8](repeating: 0, count: 64 << 20), level: 9)
        #expect(content.count < 64 << 10 + 1_000)
        var session = try TestSession(limits: limits)
        session.receive(post(content, chunkSize: chunkSize)[...])
        #expect(session.outcome.refusals == ["413 body_too_large"])
        #expect(session.allocatedBytes == 3 << 20)
        #expect((10...12).contains(session.yieldCount))
        #expect(session.recycledCount == 1)
    }
}
