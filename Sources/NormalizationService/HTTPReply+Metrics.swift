import HTTPCore
import HTTPTypes
import Normalization

extension HTTPReply {
    /// Every code that a refusal can have, the server's own included.
    fileprivate static let problemCodes = Set(
        ProblemCode.allCases.map(\.rawValue) + HTTPError.allCases.map(\.problem.code)
    ).sorted()

    /// What `GET /metrics` answers.
    static func metrics(_ metrics: HTTPMetrics, version: String) -> HTTPReply {
        var writer = MetricsText()
        writer.family(
            "normserve_build_info",
            .gauge,
            help: "What runs here; always 1.",
            [([("version", version), ("instruction_set", InstructionSet.current.rawValue)], 1)]
        )
        writer.exchanges(metrics)
        writer.connections(metrics)
        return HTTPReply(
            head: HTTPResponse(status: .ok, headerFields: [.contentType: MetricsText.contentType]),
            body: [.bytes(Array(writer.text.utf8))]
        )
    }
}

extension MetricsText {
    fileprivate mutating func exchanges(_ metrics: HTTPMetrics) {
        self.family(
            "normserve_responses_total",
            .counter,
            help: "Responses by status.",
            metrics.responseCounts.map { ([("status", "\($0.status)")], $0.count) }
        )
        self.family(
            "normserve_problems_total",
            .counter,
            help: "Refusals by the code of their problem document.",
            HTTPReply.problemCodes.map { ([("code", $0)], metrics.problemCount(code: $0)) }
        )
        self.family(
            "normserve_limit_reached_total",
            .counter,
            help: "How often a client ran into a limit, by the option that sets it.",
            Limit.allCases.map { ([("limit", $0.rawValue)], metrics[$0].value) }
        )
    }

    fileprivate mutating func connections(_ metrics: HTTPMetrics) {
        self.family(
            "normserve_connections_accepted_total",
            .counter,
            help: "Connections accepted.",
            metrics.connectionsAccepted.value
        )
        self.family(
            "normserve_connections_open",
            .gauge,
            help: "Connections open at the moment.",
            metrics.connectionsOpen.value
        )
        self.family(
            "normserve_tls_handshakes_total",
            .counter,
            help: "TLS handshakes by how they ended.",
            [
                ([("result", "full")], metrics.fullHandshakes.value),
                ([("result", "resumed")], metrics.resumedHandshakes.value),
                ([("result", "failed")], metrics.failedHandshakes.value),
            ]
        )
        self.family(
            "normserve_in_flight_bytes",
            .gauge,
            help: "Memory that bodies, and all that is made of them, take at the moment.",
            metrics.memory.usedBytes
        )
        self.family(
            "normserve_received_bytes_total",
            .counter,
            help: "Bytes received over sockets, TLS taken off.",
            metrics.receivedBytes.value
        )
        self.family(
            "normserve_sent_bytes_total",
            .counter,
            help: "Bytes sent over sockets, TLS taken off.",
            metrics.sentBytes.value
        )
    }
}
