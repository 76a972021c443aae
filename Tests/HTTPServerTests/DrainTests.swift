import Dispatch
import HTTPCore
import Testing

@testable import HTTPServer

extension ServerTests {
    @Test("Draining: idle connections are closed soon, requests in work are finished, nobody new is let in")
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
                && server.server.services.memory.usedBytes == 1 + 2
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

    @Test("Draining: no request is lost that is on its way, nor a connection that waits to be accepted")
    func drainUnderLoad() async throws {
        let server = try TestServer()
        let clients = try (0..<8).map { _ in try server.client() }
        for client in clients {
            try client.send(Self.get)
            #expect(try client.response()?.status == 200)
        }
        let late = try (0..<8).map { _ in try server.client() }
        async let isClean = server.drain()
        try await Task.sleep(for: .milliseconds(100))
        for client in clients + late {
            try client.send(Self.get)
            let response = try #require(try client.response())
            #expect(response.text == "ok")
            #expect(response.fields.contains("Connection: close"))
        }
        #expect(await isClean)
    }

    @Test("A client that lingers does not hold up the end")
    func drainLinger() async throws {
        let server = try TestServer()
        let client = try server.client()
        try client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try client.response()?.status == 200)
        let start = MonotonicTime.now()
        #expect(await server.drain())
        #expect(MonotonicTime.now() < start + .seconds(2))
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
