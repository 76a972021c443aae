import HTTPCore
import Testing

@testable import HTTPServer

extension ServerTests {
    /// `normalize normalize normalize 1.0, 2.5, 3.25, 1.0, 2.5, 3.25; the end` by Python's gzip.
    private static let gzip: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0xcb, 0x2f, 0xca, 0x4d, 0xcc, 0xc9, 0xac,
        0x4a, 0x55,
        0xc8, 0xc3, 0xc2, 0x32, 0xd4, 0x33, 0xd0, 0x51, 0x30, 0xd2, 0x33, 0xd5, 0x51, 0x30, 0xd6, 0x33, 0x02, 0x92,
        0xa8, 0x7c,
        0x6b, 0x85, 0x92, 0x8c, 0x54, 0x85, 0xd4, 0xbc, 0x14, 0x00, 0xb0, 0x28, 0x12, 0x55, 0x45, 0x00, 0x00, 0x00,
    ]

    private static func large(_ fields: String) -> String { "GET /large HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

    private static let zeroCount = TestResponder.largeCount

    @Test("Coded content is decoded, aligned, on a loop and on a worker", arguments: ["/echo", "/hold"])
    func codedRequest(path: String) async throws {
        let server = try TestServer()
        server.responder.released.signal()
        let client = try server.client()
        try client.send(Array(Self.post(path, Self.gzip.count, "Content-Encoding: gzip\r\n").utf8) + Self.gzip)
        #expect(try client.response()?.text == "normalize normalize normalize 1.0, 2.5, 3.25, 1.0, 2.5, 3.25; the end")
        #expect(server.responder.misalignedCount.load(ordering: .relaxed) == 0)
        try await eventually("the memory is given back") { server.server.services.memory.usedBytes == 0 }
    }

    @Test("What a decoder takes is counted, and given back when the client goes")
    func codedRequestBudget() async throws {
        let server = try TestServer()
        let budget = server.server.services.memory
        do {
            let client = try server.client()
            try client.send(Self.post("/echo", Self.gzip.count, "Content-Encoding: gzip\r\n"))
            try client.send(Array(Self.gzip.prefix(30)))
            try await eventually("the content is being read") { budget.usedBytes == (64 + 44) << 10 }
            client.reset()
        }
        try await eventually("the memory is given back") { budget.usedBytes == 0 }
    }

    @Test("A large coded reply is sent while others are served, and its memory given back")
    func codedReply() async throws {
        let server = try TestServer()
        let budget = server.server.services.memory
        let client = try server.client()
        try client.send(Self.large("Accept-Encoding: gzip\r\nConnection: close\r\n"))
        try await eventually("the reply and its coding are counted") { budget.usedBytes > Self.zeroCount + 256 << 10 }
        #expect(try Self.answer(of: server) == "ok")
        let output = String(decoding: try client.rest(), as: UTF8.self)
        #expect(output.contains("\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"))
        #expect(output.hasSuffix("\r\n0\r\n\r\n"))
        #expect(output.utf8.count < Self.zeroCount / 100)
        try await eventually("the memory is given back") { budget.usedBytes == 0 }
    }

    @Test("A client that goes while its reply is coded leaves nothing behind")
    func codedReplyToNobody() async throws {
        let server = try TestServer()
        let budget = server.server.services.memory
        for _ in 0..<5 {
            do {
                let client = try server.client()
                try client.send(Self.large("Accept-Encoding: deflate\r\n"))
                try await eventually("the reply is counted") { budget.usedBytes > Self.zeroCount }
                client.reset()
            }
            try await eventually("the memory is given back") { budget.usedBytes == 0 }
        }
        #expect(try Self.answer(of: server) == "ok")
    }

    @Test("Without room for the coding a reply is sent as it is")
    func noRoomForCoding() async throws {
        let server = try TestServer(memoryLimit: Self.zeroCount + 100 << 10)
        let client = try server.client()
        try client.send(Self.large("Accept-Encoding: gzip\r\n"))
        let response = try #require(try client.response())
        #expect(response.body.count == Self.zeroCount)
        #expect(response.fields.contains("Vary: Accept-Encoding"))
        try await eventually("the memory is given back") { server.server.services.memory.usedBytes == 0 }
    }
}
