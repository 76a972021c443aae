import Glibc
import HTTPCore
import Testing

@testable import HTTPServer

extension ServerTests {
    private static let path = "/tmp/normserve-test-\(getpid()).sock"

    @Test("A Unix socket: served, its name taken away at the end, a stale one replaced")
    func unixSocket() async throws {
        let address = HTTPServerConfiguration.Address.unixSocket(path: Self.path)
        let server = try TestServer(address)
        #expect(server.address == address)
        #expect(try Self.answer(of: server) == "ok")
        #expect(throws: HTTPServerError.addressInUse(address)) { try TestServer(address) }
        #expect(await server.drain())
        try await eventually("the name is gone") { access(Self.path, F_OK) != 0 }
        let stale = try ListeningSocket(address)
        close(stale.descriptor)
        #expect(access(Self.path, F_OK) == 0)
        #expect(try Self.answer(of: TestServer(address)) == "ok")
    }

    @Test(
        "Socket paths that cannot be",
        arguments: ["", "/nowhere/at/all", "/dev/null", "/tmp/" + String(repeating: "x", count: 200)]
    )
    func invalidPath(path: String) {
        #expect(throws: HTTPServerError.invalidSocketPath(path)) { try TestServer(.unixSocket(path: path)) }
    }

    @Test("IPv6", .enabled(if: (try? ListeningSocket(.tcp(host: "::1", port: 0)))?.close() != nil))
    func ipv6() throws {
        let server = try TestServer(.tcp(host: "::1", port: 0))
        guard case .tcp("::1", let port) = server.address else {
            Issue.record("the address is the one asked for")
            return
        }
        #expect(port != 0)
    }

    @Test("A port that is taken, a host that is not there, and a second start")
    func startErrors() throws {
        let server = try TestServer()
        #expect(throws: HTTPServerError.addressInUse(server.address)) { try TestServer(server.address) }
        let elsewhere = HTTPServerConfiguration.Address.tcp(host: "192.0.2.1", port: 0)
        #expect(throws: HTTPServerError.addressNotAvailable(elsewhere)) { try TestServer(elsewhere) }
        #expect { try TestServer(.tcp(host: "no-such-host.invalid", port: 0)) } throws: { error in
            guard case .unresolvableHost("no-such-host.invalid", _)? = error as? HTTPServerError else { return false }
            return true
        }
        #expect(throws: HTTPServerError.alreadyStarted) { try server.server.start() }
        #expect("\(HTTPServerError.addressInUse(elsewhere))" == "192.0.2.1:0 is in use by another process")
    }
}
