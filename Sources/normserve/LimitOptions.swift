import ArgumentParser
import HTTPCore
import Logging

/// How much a client may ask of the server.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The largest request body; it is counted as it is sent and with its coding undone. Default: 256MiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxBodyBytes = ByteSize(bytes: 256 << 20)

    @Option(
        help: ArgumentHelp(
            "How deep JSON may nest.",
            valueName: "depth"
        )
    )
    var maxJsonDepth = 64

    @Option(
        help: ArgumentHelp(
            "How many elements one tensor may have.",
            valueName: "count"
        )
    )
    var maxElements = 1 << 28

    @Option(
        help: ArgumentHelp(
            "The longest request line. Default: 16KiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxRequestLineBytes = ByteSize(bytes: 16 << 10)

    @Option(
        help: ArgumentHelp(
            "The largest request head, its first line included. Default: 32KiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxHeadBytes = ByteSize(bytes: 32 << 10)

    @Option(
        help: ArgumentHelp(
            "How many header fields a request may have.",
            valueName: "count"
        )
    )
    var maxFields = 100

    @Option(
        help: ArgumentHelp(
            "The largest trailer section of a chunked body. Default: 8KiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxTrailerBytes = ByteSize(bytes: 8 << 10)

    @Option(
        help: ArgumentHelp(
            "How many trailer fields a chunked body may have.",
            valueName: "count"
        )
    )
    var maxTrailerFields = 32

    @Option(
        help: ArgumentHelp(
            "How many bytes the chunk extensions of a body may take together. Default: 4KiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxChunkExtensionBytes = ByteSize(bytes: 4 << 10)

    @Option(
        help: ArgumentHelp(
            "How many bytes of request bodies, and of what is made of them, may be held at a time, over all connections; beyond it requests get 503. Default: 1GiB.",
            valueName: "size"
        ),
        transform: ByteSize.parsed
    )
    var maxInFlightBytes = ByteSize(bytes: 1 << 30)

    @Option(
        help: ArgumentHelp(
            "How many connections may be open at a time.",
            valueName: "count"
        )
    )
    var maxConnections = 4096

    @Option(
        help: ArgumentHelp(
            "How many of them may come from one IPv4 address or one IPv6 network of 64 bits; 0 for any number.",
            valueName: "count"
        )
    )
    var maxConnectionsPerAddress = 1024

    @Option(
        help: ArgumentHelp(
            "How many requests a connection may carry; 0 for any number.",
            valueName: "count"
        )
    )
    var maxRequestsPerConnection = 10_000

    func validate() throws {
        try Self.check("max-body-bytes", self.maxBodyBytes, atLeast: 1)
        try Self.check("max-json-depth", self.maxJsonDepth, 1...512)
        try Self.check("max-elements", self.maxElements, 1...)
        try Self.check("max-request-line-bytes", self.maxRequestLineBytes, atLeast: 64)
        try Self.check("max-head-bytes", self.maxHeadBytes, atLeast: 1 << 10)
        try Self.check("max-fields", self.maxFields, 1...10_000)
        // The CRLF that ends a trailer section is part of it.
        try Self.check("max-trailer-bytes", self.maxTrailerBytes, atLeast: 2)
        try Self.check("max-trailer-fields", self.maxTrailerFields, 0...10_000)
        try Self.check("max-connections", self.maxConnections, 1...)
        try Self.check("max-connections-per-address", self.maxConnectionsPerAddress, 0...)
        try Self.check("max-requests-per-connection", self.maxRequestsPerConnection, 0...)
        guard self.maxInFlightBytes.bytes >= self.maxBodyBytes.bytes else {
            throw ValidationError(
                "--max-in-flight-bytes is \(self.maxInFlightBytes), less than the one body of "
                    + "\(self.maxBodyBytes) that --max-body-bytes allows"
            )
        }
    }

    private static func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws(ValidationError) {
        guard !range.contains(value) else { return }
        throw ValidationError(
            "--\(option) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)"
        )
    }

    private static func check(_ option: String, _ value: Int, _ range: PartialRangeFrom<Int>) throws(ValidationError) {
        guard !range.contains(value) else { return }
        throw ValidationError("--\(option) is \(value); it must be at least \(range.lowerBound)")
    }

    private static func check(_ option: String, _ size: ByteSize, atLeast bytes: Int) throws(ValidationError) {
        guard size.bytes < bytes else { return }
        throw ValidationError("--\(option) is \(size); it must be at least \(ByteSize(bytes: bytes))")
    }
}

extension LimitOptions {
    /// Those that the server itself enforces.
    var httpLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxBodyBytes = self.maxBodyBytes.bytes
        limits.maxRequestLineBytes = self.maxRequestLineBytes.bytes
        limits.maxHeadBytes = self.maxHeadBytes.bytes
        limits.maxFieldCount = self.maxFields
        limits.maxTrailerBytes = self.maxTrailerBytes.bytes
        limits.maxTrailerFieldCount = self.maxTrailerFields
        limits.maxChunkExtensionBytes = self.maxChunkExtensionBytes.bytes
        limits.maxConnections = self.maxConnections
        limits.maxConnectionsPerAddress = self.maxConnectionsPerAddress
        limits.maxRequestsPerConnection = self.maxRequestsPerConnection
        return limits
    }

    /// As the log shows them.
    var settings: Logger.Metadata {
        [
            "max_body_bytes": "\(self.maxBodyBytes)",
            "max_json_depth": "\(self.maxJsonDepth)",
            "max_elements": "\(self.maxElements)",
            "max_request_line_bytes": "\(self.maxRequestLineBytes)",
            "max_head_bytes": "\(self.maxHeadBytes)",
            "max_fields": "\(self.maxFields)",
            "max_trailer_bytes": "\(self.maxTrailerBytes)",
            "max_trailer_fields": "\(self.maxTrailerFields)",
            "max_chunk_extension_bytes": "\(self.maxChunkExtensionBytes)",
            "max_in_flight_bytes": "\(self.maxInFlightBytes)",
            "max_connections": "\(self.maxConnections)",
            "max_connections_per_address": "\(self.maxConnectionsPerAddress)",
            "max_requests_per_connection": "\(self.maxRequestsPerConnection)",
        ]
    }
}
