import HTTPCore
import Testing

@testable import HTTPServer

extension ServerTests {
    private static func impatient() throws -> TestServer {
        try TestServer {
            $0.timeouts.head = .milliseconds(300)
            $0.timeouts.bodyGrace = .milliseconds(300)
            $0.timeouts.idle = .milliseconds(300)
            $0.timeouts.writeStall = .milliseconds(300)
            $0.timeouts.linger = .milliseconds(300)
        }
    }

    @Test(
        "9110 §15.5.9: a head or content that does not come: 408, then close",
        arguments: ["GET /", post("/echo", 2) + "x"]
    )
    func slowRequest(text: String) throws {
        let server = try Self.impatient()
        defer { withExtendedLifetime(server) {} }
        let client = try server.client()
        try client.send(text)
        #expect(try client.response()?.status == 408)
        #expect(try client.rest() == [])
    }

    @Test("9112 §9.5: an idle connection is closed without a word", arguments: [false, true])
    func idle(afterRequest: Bool) throws {
        let server = try Self.impatient()
        defer { withExtendedLifetime(server) {} }
        let client = try server.client()
        if afterRequest {
            try client.send(Self.get)
            #expect(try client.response()?.status == 200)
        }
        #expect(try client.rest() == [])
    }

    @Test("A client that does not take its reply is cut off")
    func stalledReader() async throws {
        let server = try Self.impatient()
        let client = try server.client()
        try client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        try await eventually("the connection is there") { server.server.services.occupancy.current == 1 }
        try await eventually("the server has closed it") { server.server.services.occupancy.current == 0 }
        // A reset, not an end: the reply must not look whole, and the system keeps nothing of it.
        #expect(throws: TestClient.Failure.self) { try client.rest() }
        #expect(server.server.services.memory.usedBytes == 0)
    }

    @Test("A client that takes its reply slowly but steadily gets all of it")
    func slowReader() async throws {
        let server = try TestServer { $0.timeouts.writeStall = .seconds(1) }
        let client = try server.client()
        try client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        // Too little for the system to call the server's socket writable within the time.
        for _ in 0..<50 {
            try client.take(64 << 10)
            try await Task.sleep(for: .milliseconds(60))
        }
        #expect(try client.response()?.body.count == TestResponder.largeCount)
    }

    @Test("Nobody is waited for for ever after the last reply")
    func linger() async throws {
        let server = try Self.impatient()
        let client = try server.client()
        try client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try client.response()?.status == 200)
        try await eventually("the server has closed its side") { server.server.services.occupancy.current == 0 }
    }
}
