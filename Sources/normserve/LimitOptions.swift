import ArgumentParser

/// What a client may ask of the server, and for how long.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The largest request body. Default: 256MiB.", valueName: "size"),
        transform: ByteSize.parsed
    )
    var maxBodyBytes = ByteSize(bytes: 256 << 20)

    @Option(help: ArgumentHelp("How deep JSON may nest.", valueName: "depth"))
    var maxJsonDepth = 64

    @Option(
        help: ArgumentHelp("The largest request head. Default: 32KiB.", valueName: "size"),
        transform: ByteSize.parsed
    )
    var maxHeadBytes = ByteSize(bytes: 32 << 10)

    @Option(help: ArgumentHelp("How many header fields a request may have.", valueName: "count"))
    var maxFields = 100

    @Option(
        help: ArgumentHelp(
            "How many bytes of request bodies may be held at a time, over all connections; beyond it requests get 503. Default: 1GiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxInFlightBytes = ByteSize(bytes: 1 << 30)

    @Option(help: ArgumentHelp("How many connections may be open at a time.", valueName: "count"))
    var maxConnections = 4096

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
        help: ArgumentHelp("How long a connection may wait for its next request. Default: 75s.", valueName: "duration"),
        transform: TimeLimit.parsed
    )
    var idleTimeout = TimeLimit(seconds: 75)

    @Option(
        help: ArgumentHelp("How long a client may take no byte of its answer. Default: 30s.", valueName: "duration"),
        transform: TimeLimit.parsed
    )
    var writeTimeout = TimeLimit(seconds: 30)

    @Option(
        help: ArgumentHelp(
            "How long requests in flight may take to finish after SIGTERM. Default: 25s.",
            valueName: "duration"
        ),
        transform: TimeLimit.parsed
    )
    var drainTimeout = TimeLimit(seconds: 25)

    func validate() throws {
        guard (1...512).contains(self.maxJsonDepth) else {
            throw ValidationError("--max-json-depth is \(self.maxJsonDepth); it must be from 1 to 512")
        }
        guard (1...10_000).contains(self.maxFields) else {
            throw ValidationError("--max-fields is \(self.maxFields); it must be from 1 to 10000")
        }
        guard self.maxConnections >= 1 else {
            throw ValidationError("--max-connections is \(self.maxConnections); it must be at least 1")
        }
        guard self.maxBodyBytes.bytes >= 1 else {
            throw ValidationError("--max-body-bytes is 0; it must be at least 1")
        }
        guard self.maxHeadBytes.bytes >= 1 << 10 else {
            throw ValidationError("--max-head-bytes is \(self.maxHeadBytes); it must be at least 1KiB")
        }
        guard self.maxInFlightBytes.bytes >= self.maxBodyBytes.bytes else {
            throw ValidationError(
                "--max-in-flight-bytes is \(self.maxInFlightBytes), less than the one body of "
                    + "\(self.maxBodyBytes) that --max-body-bytes allows"
            )
        }
    }
}
