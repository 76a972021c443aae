import Dispatch
import HTTPCore
import Testing

@testable import HTTPServer

extension ServerTests {
    @Test("Draining: idle connections are closed, requests in work are finished, nobody new is let in")
    func drain() async throws {
        let server = try TestServer()
        let idle = try server.client()
        try idle.send(Self.get)
        #expect(try idle.response()?.status == 200)
        let working = try server.client()
        try working.send(Self.post("/hold", 1) + "x")
        let reading = try server.client()
        try reading.send(Self.post("/echo", 2) + "a")
        try await eventually("one is in work, one is being read") {
            server.responder.heldCount.load(ordering: .relaxed) == 1
                && server.server.services.budget.usedBytes == 1 + 2 + 7
        }
        async let isClean = server.drain()
        #expect(try idle.rest() == [])
        try reading.send("b")
        let echo = try #require(try reading.response())
        #expect(echo.text == "ab")
        #expect(echo.fields.contains("Connection: close"))
        reading.endSending()
        #expect(throws: TestClient.Failure.self) { try server.client() }
        server.responder.released.signal()
        let held = try #require(try working.response())
        #expect(held.fields.contains("Connection: close"))
        working.endSending()
        #expect(await isClean)
    }

    @Test("Draining ends in time, and says that requests were cut off")
    func drainDeadline() async throws {
        let server = try TestServer { $0.timeouts.drain = .milliseconds(200) }
        let working = try server.client()
        try working.send(Self.post("/hold", 1) + "x")
        try await eventually("the request is in work") { server.responder.heldCount.load(ordering: .relaxed) == 1 }
        #expect(await server.drain() == false)
        #expect((try? working.rest()) ?? [] == [])
        server.responder.released.signal()
    }

    @Test("A server without connections drains at once, and its port is free for the next")
    func rebind() async throws {
        let first = try TestServer()
        #expect(try Self.answer(of: first) == "ok")
        #expect(await first.drain())
        let second = try TestServer(first.address)
        #expect(second.address == first.address)
        #expect(try Self.answer(of: second) == "ok")
    }

    @Test("shutdownNow cuts every connection off")
    func shutdownNow() async throws {
        let server = try TestServer()
        let client = try server.client()
        try client.send(Self.post("/hold", 1) + "x")
        try await eventually("the request is in work") { server.responder.heldCount.load(ordering: .relaxed) == 1 }
        server.server.shutdownNow()
        #expect((try? client.rest()) ?? [] == [])
        server.responder.released.signal()
    }
}
