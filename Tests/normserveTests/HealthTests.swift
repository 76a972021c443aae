import ArgumentParser
import Testing

@testable import normserve

@Suite struct HealthTests {
    @Test(arguments: [
        ([:], HealthProbe.Target.tcp(host: "127.0.0.1", port: 8080, path: "/health/ready", isSecure: false)),
        (["NORMSERVE_PORT": "81"], .tcp(host: "127.0.0.1", port: 81, path: "/health/ready", isSecure: false)),
        (["NORMSERVE_HOST": "0.0.0.0"], .tcp(host: "127.0.0.1", port: 8080, path: "/health/ready", isSecure: false)),
        (
            ["NORMSERVE_TLS_CERTIFICATE": "c", "NORMSERVE_TLS_KEY": "k"],
            .tcp(host: "127.0.0.1", port: 8080, path: "/health/ready", isSecure: true)
        ),
        (["NORMSERVE_UNIX_SOCKET": "/s"], .unixSocket(path: "/s")),
    ])
    func theEnvironmentSaysWhereTheServerIs(variables: [String: String], target: HealthProbe.Target) throws {
        let health = try #require(try NormServe.parseAsRoot(["health"]) as? Health)
        #expect(try health.target(ServeEnvironment(variables)) == target)
    }

    @Test(arguments: [
        (
            "http://127.0.0.1:9000",
            HealthProbe.Target.tcp(host: "127.0.0.1", port: 9000, path: "/health/ready", isSecure: false)
        ),
        ("http://[::1]:9000/health/live", .tcp(host: "::1", port: 9000, path: "/health/live", isSecure: false)),
        ("https://name:8443", .tcp(host: "name", port: 8443, path: "/health/ready", isSecure: true)),
        ("https://[::1]/", .tcp(host: "::1", port: 443, path: "/health/ready", isSecure: true)),
        ("http://name/", .tcp(host: "name", port: 80, path: "/health/ready", isSecure: false)),
    ])
    func aURLSaysIt(url: String, target: HealthProbe.Target) throws {
        let health = try #require(try NormServe.parseAsRoot(["health", url]) as? Health)
        #expect(try health.target(ServeEnvironment([:])) == target)
    }

    @Test(arguments: ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "nonsense"])
    func whatIsNoURLIsRefused(url: String) throws {
        let health = try #require(try NormServe.parseAsRoot(["health", url]) as? Health)
        #expect(throws: ValidationError.self) { try health.target(ServeEnvironment([:])) }
    }
}
