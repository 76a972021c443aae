import Foundation
import HTTPCore
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

    /// What a schema requires, always or under a condition.
    private func namesRequiredSomewhere(in schema: Node) -> Set<String> {
        var names = self.strings(schema["required"])
        for condition in [schema["else"]].compactMap(\.self) + (schema["oneOf"]?.sequence.map(Array.init) ?? []) {
            names.formUnion(self.strings(condition["required"]))
        }
        return names
    }

    @Test func thePathsAreTheRoutes() throws {
        let paths = try #require(self.document["paths"]?.mapping)
        #expect(Set(paths.keys.compactMap(\.string)) == Set(Route.allCases.map(\.rawValue)))
        for route in Route.allCases {
            let described = Set(paths[Node(route.rawValue)]?.mapping?.keys.compactMap { $0.string?.uppercased() } ?? [])
            // HEAD goes with every GET, OPTIONS with every path.
            let answered = Set(route.methods.map(\.rawValue)).subtracting(["HEAD", "OPTIONS"])
            #expect(described == answered, "\(route.rawValue)")
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
        #expect(described == Set(statuses.values).union([200]))
    }

    @Test func theLayersAndTheirParametersAreThoseOfTheTable() throws {
        #expect(self.strings(try self.schema("LayerTypeName")["enum"]) == Set(LayerType.all.map(\.name)))
        let variants = try #require(try self.schema("LayerConfiguration")["oneOf"]?.sequence)
        #expect(variants.count == LayerType.all.count)
        for variant in variants {
            let name = try #require(variant["$ref"]?.string?.split(separator: "/").last)
            let schema = try self.schema(String(name))
            let properties = try #require(schema["properties"]?.mapping)
            let type = try #require(LayerType.named(properties[Node("type")]?["const"]?.string ?? ""))
            let parameters = Set(type.parameters.map(\.name.rawValue))
            #expect(Set(properties.keys.compactMap(\.string)) == parameters.union(["type"]), "\(type.name)")
            // What may stand in for a required parameter is required in its absence; a flag only lifts the requirement.
            let required = type.parameters.filter(\.isRequired)
            let substitutes = required.compactMap(\.substitute).filter { type[$0]?.kind != .boolean }
            let names = Set((required.map(\.name) + substitutes).map(\.rawValue))
            #expect(self.namesRequiredSomewhere(in: schema) == names.union(["type"]), "\(type.name)")
            #expect(schema["additionalProperties"]?.bool == false, "\(type.name)")
        }
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

    @Test func theServedDescriptionIsTheFile() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try Data(contentsOf: root.appending(path: "openapi.yaml"))
        #expect(Data(PackageResources.openapi_yaml) == file)
    }
}
