import ArgumentParser
import HTTPCore
import Logging

/// Runs the server until it is told to stop.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve POST /normalize and the rest of the API (the default).",
        discussion: """
            SIGTERM or SIGINT drains: /health/ready turns 503, no connection is accepted any more, requests in flight \
            finish, and the process exits with 0 within the drain time. A second signal ends it at once. SIGHUP reads the \
            files of keys, certificates and layers again.
            """
    )

    @Option(help: "The address or name to listen on; 0.0.0.0 or :: for all.")
    var host = "127.0.0.1"

    @Option(
        help: "The port to listen on; 0 picks a free one, which the log's first line names. Default: 8080.",
        transform: Self.port
    )
    var port: UInt16 = 8080

    @Option(help: ArgumentHelp("Listen on a Unix domain socket instead.", valueName: "path"))
    var unixSocket: String?

    @Option(
        help: """
            How many event loops, how many workers, and how many threads may share one large tensor; the number of \
            processors if not given.
            """
    )
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "How much work is put into coding answers for clients that ask for it, from 1 to 9; 0 codes none.",
            valueName: "level"
        )
    )
    var compressionLevel = 1

    @Option(help: "The least severe messages to log: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).")
    var logLevel = Logger.Level.info

    @Option(help: "How a log line looks on standard error: text or json.")
    var logFormat = LogFormat.text

    @OptionGroup(title: "Layers")
    var layers: LayerOptions

    @OptionGroup(title: "TLS")
    var tls: TLSOptions

    @OptionGroup(title: "Keys")
    var keys: KeyOptions

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @OptionGroup(title: "Timeouts")
    var timeouts: TimeoutOptions

    private static func port(_ argument: String) throws(ValidationError) -> UInt16 {
        guard let number = Int(decimalDigits: argument), let port = UInt16(exactly: number) else {
            throw ValidationError("a port is a number from 0 to 65535")
        }
        return port
    }

    func validate() throws {
        guard !self.host.isEmpty else {
            throw ValidationError("--host is empty; it must be an address or a name such as 127.0.0.1")
        }
        guard self.unixSocket == nil || self.tls.tlsKey == nil else {
            throw ValidationError("--unix-socket is served without TLS; leave --tls-certificate and --tls-key out")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); it must be from 1 to 1024")
        }
        guard (0...9).contains(self.compressionLevel) else {
            throw ValidationError("--compression-level is \(self.compressionLevel); it must be from 0 to 9")
        }
    }

    func run() throws {
        try ServerProcess(self).run()
    }
}

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
