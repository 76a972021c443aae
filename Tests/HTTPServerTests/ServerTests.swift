import Dispatch
import Glibc
import HTTPCore
import Testing

@testable import HTTPServer

/// Real sockets; one test after the other, since some count the process's descriptors.
@Suite("HTTPServer", .serialized)
struct ServerTests {
    static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    static func post(_ path: String, _ length: Int, _ fields: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\(fields)\r\n"
    }

    /// Content that tells every byte's place.
    static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }
}

extension ServerTests {
    @Test("9112 §9.3: one connection, many requests")
    func keepAlive() throws {
        let server = try TestServer()
        let client = try server.client()
        for number in 0..<50 {
            try client.send(Self.post("/echo", 3) + String(100 + number))
            let response = try #require(try client.response())
            #expect(response.text == String(100 + number))
            #expect(response.fields.contains { $0.hasPrefix("Date: ") })
        }
    }

    @Test("9112 §9.3.2: a thousand pipelined requests, answered in order")
    func pipelining() async throws {
        let server = try TestServer()
        let client = try server.client()
        let requests = (0..<1000).map { Self.post($0 % 10 == 0 ? "/hold" : "/echo", 4) + String(1000 + $0) }
        for _ in 0..<100 { server.responder.released.signal() }
        try client.send(requests.joined())
        for number in 0..<1000 {
            let response = try #require(try client.response())
            #expect(response.text == String(1000 + number))
        }
    }

    @Test("Content of every size comes back whole, and aligned", arguments: [1, 16_000, 65_536, 1_048_576, 16_777_217])
    func sizes(count: Int) throws {
        let server = try TestServer()
        let body = Self.pattern(count)
        let client = try server.client()
        for _ in 0..<2 {
            try client.send(Self.post("/echo", count))
            try client.send(body)
            let response = try #require(try client.response())
            #expect(response.body == body)
        }
        #expect(server.responder.misalignedCount.load(ordering: .relaxed) == 0)
    }

    @Test("9112 §7.1: chunked content with trailers", arguments: [7, 5_000, 100_000])
    func chunked(chunkCount: Int) throws {
        let server = try TestServer()
        let body = Self.pattern(300_000)
        let client = try server.client()
        try client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        var message: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: chunkCount) {
            let chunk = body[start..<min(start + chunkCount, body.count)]
            message += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
        }
        try client.send(message + Array("0;x=y\r\nA: b\r\n\r\n".utf8) + Array(Self.get.utf8))
        #expect(try client.response()?.body == body)
        #expect(try client.response()?.text == "ok")
    }

    @Test("9110 §10.1.1: the client waits for 100 Continue")
    func expectContinue() throws {
        let server = try TestServer()
        let client = try server.client()
        try client.send(Self.post("/echo", 2, "Expect: 100-continue\r\n"))
        #expect(try client.response()?.status == 100)
        try client.send("xy")
        #expect(try client.response()?.text == "xy")
    }

    @Test("9110 §10.1.1: the client is spared the content")
    func refusedExpectation() throws {
        let server = try TestServer()
        let client = try server.client()
        try client.send(Self.post("/nothing", 1_000_000, "Expect: 100-continue\r\n"))
        #expect(try client.response()?.status == 404)
        #expect(try client.rest() == [])
    }

    @Test("9110 §9.3.2: HEAD")
    func head() throws {
        let server = try TestServer()
        let client = try server.client()
        try client.send("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
        let head = try #require(try client.response(isHead: true))
        #expect(head.fields.contains("Content-Length: \(TestResponder.largeCount)"))
        #expect(try client.response()?.text == "ok")
    }

    @Test(
        "9112 §9.6: half-closed clients get their answer, from a loop and from a worker",
        arguments: ["/echo", "/hold"]
    )
    func halfClose(path: String) throws {
        let server = try TestServer()
        server.responder.released.signal()
        let client = try server.client()
        try client.send(Self.post(path, 2) + "xy")
        client.endSending()
        #expect(try client.response()?.text == "xy")
        #expect(try client.rest() == [])
    }

    @Test("9112 §9.6: a refusal reaches a client that goes on sending")
    func refusalSurvives() throws {
        let server = try TestServer { $0.limits.maxBodyBytes = 4 << 20 }
        let client = try server.client()
        try client.send(Self.post("/echo", 5 << 20))
        // The server may have closed its side by then, but it must not have reset the connection.
        try client.send(Self.pattern(3 << 20))
        let response = try #require(try client.response())
        #expect(response.status == 413)
        #expect(response.fields.contains("Connection: close"))
        #expect(try client.rest() == [])
    }

    @Test("9112 §8: resets in the middle of content leave nothing behind")
    func resets() async throws {
        let server = try TestServer()
        let before = Self.socketCount()
        for number in 0..<200 {
            let client = try server.client()
            try client.send(Self.post("/echo", 1 << 20) + String(repeating: "x", count: number * 100))
            client.reset()
        }
        try await eventually("the server has closed the connections") { server.server.services.occupancy.current == 0 }
        try await eventually("the system has the descriptors back") { Self.socketCount() <= before }
        try await eventually("the memory is given back") { server.server.services.memory.usedBytes == 0 }
        #expect(try Self.answer(of: server) == "ok")
    }

    @Test("9112 §9.5: slow readers of large replies hold nobody up")
    func slowReaders() async throws {
        let server = try TestServer()
        let readers = try (0..<4).map { _ in try server.client() }
        for reader in readers { try reader.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get) }
        for _ in 0..<20 { #expect(try Self.answer(of: server) == "ok") }
        for reader in readers {
            #expect(try reader.response()?.body.count == TestResponder.largeCount)
            #expect(try reader.response()?.text == "ok")
        }
    }

    @Test("Health is answered while all workers are busy, and queued requests are answered in their turn")
    func busyWorkers() async throws {
        let server = try TestServer()
        let clients = try (0..<6).map { _ in try server.client() }
        for client in clients { try client.send(Self.post("/hold", 1) + "x") }
        try await eventually("two requests are in work") {
            server.responder.heldCount.load(ordering: .relaxed) == 2
        }
        #expect(try Self.answer(of: server) == "ok")
        for _ in clients { server.responder.released.signal() }
        for client in clients { #expect(try client.response()?.text == "x") }
    }

    @Test("Clients that go while their request waits for a worker or is in work: its memory is given back")
    func goneWhileComputing() async throws {
        let server = try TestServer { $0.workerCount = 1 }
        let services = server.server.services
        var clients = try (0..<3).map { _ in try server.client() }
        for client in clients { try client.send(Self.post("/hold", 1_000) + String(repeating: "x", count: 1_000)) }
        try await eventually("one request is in work, two wait") {
            server.responder.heldCount.load(ordering: .relaxed) == 1 && services.memory.usedBytes == 3_000
        }
        for client in clients { client.reset() }
        clients = []
        try await eventually("those that waited are forgotten") { services.memory.usedBytes == 1_000 }
        server.responder.released.signal()
        try await eventually("the one in work gives its memory back at its end") { services.memory.usedBytes == 0 }
        #expect(server.responder.heldCount.load(ordering: .relaxed) == 1)
        #expect(try Self.answer(of: server) == "ok")
    }

    @Test("9110 §15.6.4: beyond the memory for all connections, 503 before the content is read")
    func inFlightLimit() async throws {
        let server = try TestServer(memoryLimit: 1_500)
        let first = try server.client()
        try first.send(Self.post("/hold", 1_000) + String(repeating: "x", count: 1_000))
        try await eventually("the first is in work") { server.responder.heldCount.load(ordering: .relaxed) == 1 }
        let second = try server.client()
        try second.send(Self.post("/echo", 1_000))
        let refusal = try #require(try second.response())
        #expect(refusal.status == 503)
        #expect(refusal.text == "overloaded")
        #expect(refusal.fields.contains("Retry-After: 1"))
        server.responder.released.signal()
        #expect(try first.response()?.status == 200)
        try await eventually("the memory is given back") { server.server.services.memory.usedBytes == 0 }
        let third = try server.client()
        try third.send(Self.post("/echo", 3) + "abc")
        #expect(try third.response()?.text == "abc")
    }

    @Test("One request may use all the memory there is, wherever its content begins")
    func wholeBudget() throws {
        let count = 3 << 20
        let server = try TestServer(memoryLimit: count)
        let client = try server.client()
        for _ in 0..<2 {
            try client.send(Self.post("/echo", count))
            try client.send(Self.pattern(count))
            #expect(try client.response()?.body.count == count)
        }
    }

    @Test("Clients that declare much and send little leave the memory to others")
    func declaredOnly() async throws {
        let server = try TestServer(memoryLimit: 16 << 20)
        let hostile = try (0..<4).map { _ in try server.client() }
        for client in hostile { try client.send(Self.post("/echo", 8 << 20) + "x") }
        try await eventually("all are being read") { server.server.services.memory.usedBytes == 4 * 64 << 10 }
        let client = try server.client()
        try client.send(Self.post("/echo", 3) + "abc")
        #expect(try client.response()?.text == "abc")
    }

    @Test("A large reply for which there is no room: 503; its room comes back when it is sent")
    func replyBudget() async throws {
        let server = try TestServer(memoryLimit: TestResponder.largeCount)
        let budget = server.server.services.memory
        let first = try server.client()
        try first.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        try await eventually("the reply is counted") { budget.usedBytes == TestResponder.largeCount }
        let second = try server.client()
        try second.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        let refusal = try #require(try second.response())
        #expect(refusal.status == 503)
        #expect(refusal.text == "overloaded")
        #expect(try first.response()?.body.count == TestResponder.largeCount)
        try await eventually("the room is given back") { budget.usedBytes == 0 }
    }

    @Test("Beyond the number of connections: 503 and close; once one has gone there is room again")
    func connectionLimit() async throws {
        let server = try TestServer { $0.limits.maxConnections = 3 }
        var clients = try (0..<3).map { _ in try server.client() }
        for client in clients {
            try client.send(Self.get)
            #expect(try client.response()?.status == 200)
        }
        let refused = try server.client()
        #expect(try refused.response()?.text == "overloaded")
        #expect(try refused.rest() == [])
        clients = []
        try await eventually("there is room again") { (try? Self.answer(of: server)) == "ok" }
    }

    /// What a new connection gets for a GET.
    static func answer(of server: TestServer) throws -> String? {
        let client = try server.client()
        try client.send(Self.get)
        return try client.response()?.text
    }

    static func socketCount() -> Int {
        (0..<1_024).count { descriptor in
            var status = stat()
            return fstat(Int32(descriptor), &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        }
    }
}
