import Foundation
import HTTPCore
import HTTPTypes
import Normalization
import Tensors
import Testing
import Yams

@testable import NormalizationService

/// Holds `openapi.yaml` against the code that it describes.
@Suite struct OpenAPITests {
    private let document: Node

    init() throws {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        self.document = try #require(try compose(yaml: text))
    }

    private func schema(_ name: String) throws -> Node {
        try #require(self.document["components"]?["schemas"]?[name], "there is no schema \(name)")
    }

    private func strings(_ node: Node?) -> Set<String> {
        Set(node?.sequence?.compactMap(\.string) ?? [])
    }

    /// What a path answers, by method.
    private func operations(of route: Route) throws -> [Node: Node] { try self.operations(ofPath: route.rawValue) }

    private func operations(ofPath path: String) throws -> [Node: Node] {
        let path = try #require(self.document["paths"]?[path]?.mapping)
        return Dictionary(uniqueKeysWithValues: path.filter { $0.key.string != "parameters" })
    }

    @Test func thePathsAreTheRoutes() throws {
        let paths = try #require(self.document["paths"]?.mapping)
        let inference = InferenceRoute.all.compactMap(\.template)
        #expect(Set(paths.keys.compactMap(\.string)) == Set(Route.allCases.map(\.rawValue) + inference))
        for route in Route.allCases {
            let described = Set(try self.operations(of: route).keys.compactMap { $0.string?.uppercased() })
            // HEAD goes with every GET, OPTIONS with every path.
            let answered = Set(route.methods.map(\.rawValue)).subtracting(["HEAD", "OPTIONS"])
            #expect(described == answered, "\(route.rawValue)")
        }
    }

    @Test func whatIsSaidOfThePathsOfOpenInferenceIsSo() throws {
        let authorization = Authorization(.init(admin: try KeyRing(file: Array("key".utf8))))
        for route in InferenceRoute.all {
            let operations = try self.operations(ofPath: try #require(route.template))
            let described = Set(operations.keys.compactMap { $0.string?.uppercased() })
            #expect(described == Set(route.methods.map(\.rawValue)).subtracting(["HEAD", "OPTIONS"]), "\(route)")
            for operation in operations.values {
                // Where there are only administrators, all others are open.
                let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: nil)
                let isForAdministrators = (try? authorization.check(head, forInference: route)) == nil
                #expect((operation["security"]?.sequence?.count == 1) == isForAdministrators, "\(route)")
                let isHealth = route == .live || route == .ready
                #expect((operation["security"]?.sequence?.isEmpty == true) == isHealth, "\(route)")
            }
        }
    }

    @Test func theCodesAndTheirStatusesAreThoseOfTheCode() throws {
        var statuses: [String: Int] = [:]
        for code in ProblemCode.allCases {
            statuses[code.rawValue] = code.status.code
        }
        for error in HTTPError.allCases {
            let problem = error.problem
            #expect(statuses[problem.code] ?? problem.status.code == problem.status.code, "\(problem.code)")
            statuses[problem.code] = problem.status.code
        }
        let schema = try self.schema("ProblemCode")
        #expect(self.strings(schema["enum"]) == Set(statuses.keys))

        let description = try #require(schema["description"]?.string)
        let rows = description.split(separator: "\n").dropFirst(2).map { row in
            row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(rows.count == statuses.count)
        for row in rows {
            let code = row[0].trimmingCharacters(in: ["`"])
            #expect(Int(row[1]) == statuses[code], "the table's row for \(code)")
        }
        let responses = try #require(self.document["paths"]?["/normalize"]?["post"]?["responses"]?.mapping)
        let described = Set(responses.keys.compactMap { $0.string.flatMap { Int($0) } })
        // Nothing there needs the administrator's key, or changes a layer.
        #expect(described == Set(statuses.values).union([200]).subtracting([403, 409, 500, 507]))
    }

    @Test func whatNeedsNoKeySaysSo() throws {
        let authorization = Authorization(.init(api: try KeyRing(file: Array("key".utf8))))
        for route in Route.allCases {
            for (method, operation) in try self.operations(of: route) {
                let head = HTTPRequest(
                    method: try #require(HTTPRequest.Method(method.string?.uppercased() ?? "")),
                    scheme: nil,
                    authority: nil,
                    path: route.rawValue
                )
                let isOpen = (try? authorization.check(head, for: route)) != nil
                #expect((operation["security"]?.sequence?.isEmpty == true) == isOpen, "\(route.rawValue)")
            }
        }
    }

    @Test func theFamiliesAreThoseOfTheMetrics() throws {
        let description = try #require(self.document["paths"]?["/metrics"]?["get"]?["description"]?.string)
        let rows = description.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let described = rows.flatMap { row in
            let cells = row.split(separator: "|", omittingEmptySubsequences: false).dropFirst()
            return self.codes(cells.first ?? "").map { Set([$0] + self.codes(cells.dropFirst().first ?? "")) }
        }
        let client = ServiceClient()
        client.metrics.countResponse(.ok)
        let samples = try client.samples()
        let written = samples.map { Set([$0.name] + $0.labels.keys) }
        #expect(Set(described) == Set(written))
        #expect(described.count == Set(written).count)
    }

    /// What stands in backquotes.
    private func codes(_ cell: some StringProtocol) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0 % 2 == 1 ? String($1) : nil }
    }

    @Test func theDataTypesAreThoseOfTensors() throws {
        #expect(self.strings(try self.schema("DataType")["enum"]) == Set(DataType.allCases.map(\.rawValue)))
        let floating = DataType.allCases.filter(\.isFloatingPoint)
        #expect(self.strings(try self.schema("FloatingDataType")["enum"]) == Set(floating.map(\.rawValue)))
    }

    @Test func theRequestBodiesAreTheMediaTypes() throws {
        let post = self.document["paths"]?["/normalize"]?["post"]
        let mediaTypes = Set(MediaType.allCases.map(\.rawValue))
        let success = post?["responses"]?.mapping?.first { $0.key.string == "200" }?.value
        for content in [post?["requestBody"]?["content"], success?["content"]] {
            #expect(Set(content?.mapping?.keys.compactMap(\.string) ?? []) == mediaTypes)
        }
    }

    @Test("Every example is answered with 200, and as the example of the answer says")
    func theExamplesAreAnswered() throws {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        let post = try member("post", of: member("/normalize", of: member("paths", of: try load(yaml: text))))
        let request = try member("application/json", of: member("content", of: member("requestBody", of: post)))
        let requests = try #require(try member("examples", of: request) as? [String: Any])
        let success = try member("200", of: member("responses", of: post))
        let answer = try member("application/json", of: member("content", of: success))
        let answers = try #require(try member("examples", of: answer) as? [String: Any])
        #expect(Set(answers.keys).isSubset(of: requests.keys))
        for (name, example) in requests {
            let value = try self.member("value", of: example)
            #expect(try self.member("type", of: self.member("layer", of: value)) as? String == name)
            let body = try JSONSerialization.data(withJSONObject: value)
            let answer = try ServiceClient().send(body: Array(body))
            #expect(answer.status == 200, "\(name): \(String(decoding: answer.body, as: UTF8.self))")
            guard answer.status == 200, let expected = answers[name] else { continue }
            for part in ["layer", "output"] {
                let described = try self.member(part, of: self.member("value", of: expected)) as? NSDictionary
                #expect(try answer.json[part] as? NSDictionary == described, "\(name)")
            }
        }
    }

    private func member(_ name: String, of value: Any?) throws -> Any {
        let object = try #require(value as? [AnyHashable: Any])
        return try #require(object.first { "\($0.key)" == name }?.value, "there is no member \(name)")
    }

    @Test func theServedDescriptionIsTheFile() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try Data(contentsOf: root.appending(path: "openapi.yaml"))
        #expect(Data(PackageResources.openapi_yaml) == file)
    }
}
