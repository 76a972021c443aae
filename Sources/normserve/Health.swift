import ArgumentParser
import FoundationEssentials
import Glibc
import HTTPCore

/// Asks a running server whether it is ready; the exit code is the answer.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a running server whether it is ready: exit code 0 if so, else 1.",
        discussion: """
            Made for a container's HEALTHCHECK. Without a URL it asks the server that NORMSERVE_HOST, NORMSERVE_PORT \
            or NORMSERVE_UNIX_SOCKET describe, through TLS if NORMSERVE_TLS_CERTIFICATE is set. Certificates are not \
            judged: the question is whether the server answers, not who it is. One that wants to see a client's \
            certificate is shown that of NORMSERVE_TLS_CERTIFICATE.
            """
    )

    @Argument(help: "Where the server is, for example http://127.0.0.1:8080.")
    var url: String?

    @Option(
        help: ArgumentHelp("How long to wait for the answer. Default: 3s.", valueName: "duration"),
        transform: TimeLimit.parsed
    )
    var timeout = TimeLimit(seconds: 3)

    func run() throws {
        // libssl writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        let environment = ServeEnvironment(ProcessInfo.processInfo.environment)
        let probe = HealthProbe(
            target: try self.target(environment),
            identity: environment.identity,
            deadline: .now() + self.timeout.duration
        )
        switch probe.run() {
        case .success(let status) where status == 200:
            print("ready")
        case .success(let status):
            print("not ready: status \(status)")
            throw ExitCode.failure
        case .failure(let failure):
            print("not ready: \(failure.reason)")
            throw ExitCode.failure
        }
    }

    func target(_ environment: ServeEnvironment) throws(ValidationError) -> HealthProbe.Target {
        if let url {
            guard let parts = URLComponents(string: url), let scheme = parts.scheme,
                ["http", "https"].contains(scheme),
                let host = parts.host, !host.isEmpty
            else { throw ValidationError("'\(url)' is not an http or https URL such as http://127.0.0.1:8080") }
            let isSecure = scheme == "https"
            let path = parts.percentEncodedPath
            let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            guard let port = UInt16(exactly: parts.port ?? (isSecure ? 443 : 80)) else {
                throw ValidationError("the port in '\(url)' is not from 0 to 65535")
            }
            let target = path.isEmpty || path == "/" ? HealthProbe.readyPath : path
            return .tcp(host: address, port: Int(port), path: target, isSecure: isSecure)
        }
        if let path = environment["unix-socket"] {
            return .unixSocket(path: path)
        }
        // A server that listens on every address listens on the loopback one.
        let everywhere = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        let host = environment["host"] ?? "127.0.0.1"
        let port = environment["port"].flatMap { Int(decimalDigits: $0) } ?? 8080
        return .tcp(
            host: everywhere[host] ?? host,
            port: port,
            path: HealthProbe.readyPath,
            isSecure: environment.identity != nil
        )
    }
}

extension ServeEnvironment {
    /// The files of the server's TLS identity.
    fileprivate var identity: (certificate: String, key: String)? {
        guard let certificate = self["tls-certificate"], let key = self["tls-key"] else { return nil }
        return (certificate, key)
    }
}
