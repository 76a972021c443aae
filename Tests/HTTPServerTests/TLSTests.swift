import HTTPCore
import Testing

@testable import HTTPServer

extension ServerTests {
    private static func secureServer(
        _ identity: TestIdentity,
        _ configure: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws -> TestServer {
        let context = try TLSContext(identity.identity)
        return try TestServer {
            $0.tls = context
            configure(&$0)
        }
    }

    @Test("TLS: content of every size comes back whole", arguments: [1, 16_000, 16_384, 65_536, 1_048_576, 16_777_217])
    func secureSizes(count: Int) throws {
        let server = try Self.secureServer(TestIdentity())
        let body = Self.pattern(count)
        let client = try TestClient(server.address, isSecure: true)
        for _ in 0..<2 {
            try client.send(Self.post("/echo", count))
            try client.send(body)
            #expect(try #require(try client.response()).body == body)
        }
        #expect(server.metrics.fullHandshakes.value == 1)
    }

    @Test("TLS: pipelined requests, whose last bytes wait within the library, are all answered")
    func securePipelining() throws {
        let server = try Self.secureServer(TestIdentity())
        for _ in 0..<1000 { server.responder.released.signal() }
        let client = try TestClient(server.address, isSecure: true)
        try client.send((0..<1000).map { Self.post($0 % 10 == 0 ? "/hold" : "/echo", 4) + String(1000 + $0) }.joined())
        for number in 0..<1000 {
            #expect(try #require(try client.response()).text == String(1000 + number))
        }
    }

    @Test("TLS: a slow reader gets a large reply whole; its end is said before the close (9112 §9.8)")
    func secureLargeReply() async throws {
        let server = try Self.secureServer(TestIdentity())
        let client = try TestClient(server.address, isSecure: true)
        try client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        try await Task.sleep(for: .milliseconds(300))
        #expect(try client.response()?.body.count == TestResponder.largeCount)
        // An end without close_notify would be an error to the client's library.
        #expect(try client.rest() == [])
    }

    @Test("TLS: another identity from the next connection on, while the old ones are served")
    func secureReload() throws {
        let server = try Self.secureServer(TestIdentity("first"))
        let old = try TestClient(server.address, isSecure: true)
        #expect(old.peerName == "first")
        server.server.use(try TLSContext(TestIdentity("second").identity))
        let new = try TestClient(server.address, isSecure: true)
        #expect(new.peerName == "second")
        for client in [old, new] {
            try client.send(Self.get)
            #expect(try client.response()?.status == 200)
        }
    }

    @Test("TLS: clients that say nothing, break off or talk nonsense leave nothing behind")
    func hostileHandshakes() async throws {
        let server = try Self.secureServer(TestIdentity()) { $0.timeouts.handshake = .milliseconds(300) }
        // A record that claims to hold a ClientHello of 512 bytes.
        let hello: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]
        for bytes in [[], hello, Array(Self.get.utf8), [UInt8](repeating: 0xFF, count: 20_000)] {
            for isReset in [false, true] {
                let client = try server.client()
                try client.send(bytes)
                if isReset { client.reset() } else { #expect((try? client.rest()) ?? [] != Array("HTTP".utf8)) }
            }
        }
        try await eventually("all have failed") { server.metrics.failedHandshakes.value == 8 }
        try await eventually("all are gone") { server.server.services.occupancy.current == 0 }
        #expect(server.metrics[.handshakeTimeout].value >= 2)
        let client = try TestClient(server.address, isSecure: true)
        try client.send(Self.get)
        #expect(try client.response()?.status == 200)
    }

    @Test("TLS: draining lets handshakes and requests on their way finish, and does not wait for those that stall")
    func secureDrain() async throws {
        let server = try Self.secureServer(TestIdentity())
        let stalled = try server.client()
        let client = try TestClient(server.address, isSecure: true)
        try await eventually("both are there") { server.server.services.occupancy.current == 2 }
        async let isClean = server.drain()
        try await Task.sleep(for: .milliseconds(100))
        try client.send(Self.get)
        let response = try #require(try client.response())
        #expect(response.fields.contains("Connection: close"))
        #expect((try? stalled.rest()) ?? [] == [])
        #expect(await isClean)
    }
}
