import ArgumentParser
import HTTPCore
import Logging

/// For how long a client may keep the server waiting.
struct TimeoutOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long a TLS handshake may take. Default: 10s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var handshakeTimeout = TimeLimit(seconds: 10)

    @Option(
        help: ArgumentHelp(
            "How long a request head may take, from its first byte. Default: 10s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var headTimeout = TimeLimit(seconds: 10)

    @Option(
        help: ArgumentHelp(
            "How long a body may take before its rate is looked at. Default: 10s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var bodyGrace = TimeLimit(seconds: 10)

    @Option(
        help: ArgumentHelp(
            "How many bytes of a body must arrive a second, on average. Default: 1KiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var minBodyRate = ByteSize(bytes: 1 << 10)

    @Option(
        help: ArgumentHelp(
            "How long a connection may wait for its next request. Default: 75s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var idleTimeout = TimeLimit(seconds: 75)

    @Option(
        help: ArgumentHelp(
            "How long a client may take no byte of its answer. Default: 30s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var writeTimeout = TimeLimit(seconds: 30)

    @Option(
        help: ArgumentHelp(
            "How long the server waits for a client to close after the last answer. Default: 5s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var lingerTimeout = TimeLimit(seconds: 5)

    @Option(
        help: ArgumentHelp(
            "How long requests in flight may take to finish after SIGTERM. Default: 25s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var drainTimeout = TimeLimit(seconds: 25)
}

extension TimeoutOptions {
    var httpTimeouts: HTTPTimeouts {
        var timeouts = HTTPTimeouts()
        timeouts.handshake = self.handshakeTimeout.duration
        timeouts.head = self.headTimeout.duration
        timeouts.bodyGrace = self.bodyGrace.duration
        timeouts.minimumBodyRate = self.minBodyRate.bytes
        timeouts.idle = self.idleTimeout.duration
        timeouts.writeStall = self.writeTimeout.duration
        timeouts.linger = self.lingerTimeout.duration
        timeouts.drain = self.drainTimeout.duration
        return timeouts
    }

    /// As the log shows them.
    var settings: Logger.Metadata {
        [
            "handshake_timeout": "\(self.handshakeTimeout)",
            "head_timeout": "\(self.headTimeout)",
            "body_grace": "\(self.bodyGrace)",
            "min_body_rate": "\(self.minBodyRate)",
            "idle_timeout": "\(self.idleTimeout)",
            "write_timeout": "\(self.writeTimeout)",
            "linger_timeout": "\(self.lingerTimeout)",
            "drain_timeout": "\(self.drainTimeout)",
        ]
    }
}
