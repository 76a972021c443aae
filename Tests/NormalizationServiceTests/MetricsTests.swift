import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import Testing

@testable import NormalizationService

@Suite struct MetricsTests {
    private let client = ServiceClient()

    private func value(_ name: String, _ labels: [String: String] = [:]) throws -> Int? {
        try self.client.samples().first { $0.name == name && $0.labels == labels }?.value
    }

    private var refusals: Int {
        get throws {
            try self.client.samples().filter { $0.name == "normserve_problems_total" }.reduce(0) { $0 + $1.value }
        }
    }

    @Test func theTextIsThatOfTheFormat() throws {
        let answer = try self.client.send(.get, "/metrics")
        #expect(answer.status == 200)
        #expect(answer.isByHead)
        #expect(answer.fields[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(text.hasSuffix("\n") && !text.contains("\n\n"))
        #expect(text.contains("# TYPE normserve_connections_open gauge\nnormserve_connections_open 0\n"))
        // Each family once, with HELP, TYPE and its samples in this order.
        var families: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if words[0] == "#", words[1] == "HELP" {
                families.append(words[2])
                #expect(words[3].hasSuffix("."))
            } else if words[0] == "#" {
                #expect(words[1] == "TYPE" && words[2] == families.last)
                #expect(words[3] == (families.last?.hasSuffix("_total") == true ? "counter" : "gauge"))
            } else {
                #expect(words[0].prefix { $0 != "{" } == families.last ?? "")
            }
        }
        #expect(families.count == 10)
        #expect(Set(families).count == families.count)
    }

    @Test func theBuildIsNamed() throws {
        let labels = ["version": "1.2.3", "instruction_set": InstructionSet.current.rawValue]
        #expect(try self.value("normserve_build_info", labels) == 1)
    }

    @Test func everyCodeAndLimitIsThereFromTheStart() throws {
        let samples = try self.client.samples()
        let codes = samples.filter { $0.name == "normserve_problems_total" }
        let known = Set(ProblemCode.allCases.map(\.rawValue) + HTTPError.allCases.map(\.problem.code))
        #expect(codes.count == known.count)
        #expect(Set(codes.compactMap { $0.labels["code"] }) == known)
        #expect(codes.allSatisfy { $0.value == 0 })
        let limits = samples.filter { $0.name == "normserve_limit_reached_total" }
        #expect(limits.map { $0.labels["limit"] } == Limit.allCases.map(\.rawValue))
        #expect(limits.allSatisfy { $0.value == 0 })
        let handshakes = samples.filter { $0.name == "normserve_tls_handshakes_total" }
        #expect(handshakes.compactMap { $0.labels["result"] } == ["full", "resumed", "failed"])
        #expect(!samples.contains { $0.name == "normserve_responses_total" })
    }

    @Test func whatTheServerCountsIsShown() throws {
        let metrics = self.client.metrics
        metrics.countResponse(.ok)
        metrics.countResponse(.ok)
        metrics.countResponse(.notFound)
        metrics[.idleTimeout].add(3)
        metrics.connectionsAccepted.add(5)
        metrics.connectionsOpen.add(2)
        metrics.connectionsOpen.add(-1)
        metrics.fullHandshakes.add(7)
        metrics.resumedHandshakes.add(8)
        metrics.failedHandshakes.add(9)
        metrics.receivedBytes.add(1000)
        metrics.sentBytes.add(2000)
        #expect(metrics.memory.reserve(4096))
        #expect(try self.value("normserve_responses_total", ["status": "200"]) == 2)
        #expect(try self.value("normserve_responses_total", ["status": "404"]) == 1)
        #expect(try self.value("normserve_limit_reached_total", ["limit": "idle-timeout"]) == 3)
        #expect(try self.value("normserve_connections_accepted_total") == 5)
        #expect(try self.value("normserve_connections_open") == 1)
        #expect(try self.value("normserve_tls_handshakes_total", ["result": "full"]) == 7)
        #expect(try self.value("normserve_tls_handshakes_total", ["result": "resumed"]) == 8)
        #expect(try self.value("normserve_tls_handshakes_total", ["result": "failed"]) == 9)
        #expect(try self.value("normserve_received_bytes_total") == 1000)
        #expect(try self.value("normserve_sent_bytes_total") == 2000)
        #expect(try self.value("normserve_in_flight_bytes") == 4096)
    }

    @Test("A refusal is counted once, wherever it is found")
    func refusalsAreCounted() throws {
        let client = self.client
        _ = try client.send(.get, "/nowhere")
        #expect(try self.value("normserve_problems_total", ["code": "not_found"]) == 1)
        _ = try client.send(.post, "/normalize", [.contentType: "text/plain"])
        #expect(try self.value("normserve_problems_total", ["code": "unsupported_media_type"]) == 1)
        _ = try client.normalize("{")
        #expect(try self.value("normserve_problems_total", ["code": "invalid_json"]) == 1)
        // Found to be unknown first, and then to be no JSON: one answer.
        _ = try client.normalize(#"{"what": 1"#)
        #expect(try self.value("normserve_problems_total", ["code": "invalid_json"]) == 2)
        #expect(try self.value("normserve_problems_total", ["code": "unknown_member"]) == 0)
        _ = client.service.reply(to: HTTPError.headTimeout.problem)
        #expect(try self.value("normserve_problems_total", ["code": "request_timeout"]) == 1)
        client.readiness.startDraining()
        _ = try client.send(.get, "/health/ready")
        #expect(try self.value("normserve_problems_total", ["code": "draining"]) == 1)
        #expect(try self.refusals == 6)
        _ = try client.send(.get, "/health/live")
        _ = try client.normalize(#"{"layer":{"type":"rms_norm","axis":-1},"input":[1]}"#)
        #expect(try self.refusals == 6)
    }

    @Test func theServersOwnLimitsAreNotCountedHere() throws {
        for error in HTTPError.allCases {
            _ = self.client.service.reply(to: error.problem)
        }
        #expect(Limit.allCases.allSatisfy { self.client.metrics[$0].value == 0 })
        #expect(try self.refusals == HTTPError.allCases.count)
    }

    @Test(
        arguments: [
            (#"{"layer":{"type":"rms_norm","axis":-1},"input":"# + String(repeating: "[", count: 64), "max-json-depth"),
            (#"{"what":"# + String(repeating: "[", count: 64), "max-json-depth"),
            (#"{"layer":{"type":"rms_norm","axis":-1},"input":[1,2,3,4,5]}"#, "max-elements"),
            (
                #"{"layer":{"type":"rms_norm","axis":-1},"input":{"shape":[4294967296,4294967296],"data":[1]}}"#,
                "max-elements"
            ),
            // No JSON: the limit that was found first was not what the answer is about.
            (#"{"layer":{"type":"rms_norm","axis":-1},"input":[1,2,3,4,5]"#, nil),
            (#"{"layer":{"type":"rms_norm","axis":-1},"input":[1,2,3,4]}"#, nil),
        ] as [(String, String?)]
    )
    func limitsOfTheServiceAreCounted(json: String, limit: String?) throws {
        var client = ServiceClient()
        client.maximumElementCount = 4
        _ = try client.normalize(json)
        let reached = Limit.allCases.filter { client.metrics[$0].value > 0 }
        #expect(reached.map(\.rawValue) == (limit.map { [$0] } ?? []))
        #expect(reached.allSatisfy { client.metrics[$0].value == 1 })
    }

    @Test func labelValuesAreEscaped() {
        var writer = MetricsText()
        writer.family("f", .gauge, help: "Help.", [([("a", #"\"# + "\n" + #"""#), ("b", "é")], -1)])
        #expect(writer.text == "# HELP f Help.\n# TYPE f gauge\n" + #"f{a="\\\n\"",b="é"} -1"# + "\n")
    }

    @Test func theMetricsAreNoPartOfTheAPIWhenTheyAreOff() throws {
        var client = ServiceClient()
        client.authorization = Authorization(metricsAccess: .off)
        for method in [HTTPRequest.Method.get, .options, .post] {
            let answer = try client.send(method, "/metrics")
            #expect(answer.status == 404)
            #expect(try answer.problem.code == "not_found")
        }
    }
}

/// A line of the metrics that is no comment.
struct MetricsSample {
    let name: String
    let labels: [String: String]
    let value: Int
}

extension ServiceClient {
    /// What `GET /metrics` answers, taken apart.
    func samples() throws -> [MetricsSample] {
        let lines = String(decoding: try self.send(.get, "/metrics").body, as: UTF8.self).split(separator: "\n")
        return try lines.filter { !$0.hasPrefix("#") }.map { line in
            let match = try #require(line.wholeMatch(of: /([a-z_]+)(?:\{(.*)\})? (-?[0-9]+)/), "\(line)")
            let labels = (match.2 ?? "").matches(of: /([a-z_]+)="([^"]*)"/).map { (String($0.1), String($0.2)) }
            return MetricsSample(
                name: String(match.1),
                labels: Dictionary(uniqueKeysWithValues: labels),
                value: try #require(Int(match.3))
            )
        }
    }
}
