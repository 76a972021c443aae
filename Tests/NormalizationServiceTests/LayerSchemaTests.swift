import Foundation
import Normalization
import Testing
import Yams

@testable import NormalizationService

/// Holds the schemas of the layers in `openapi.yaml` against the table that requests are validated by.
@Suite struct LayerSchemaTests {
    private let schemas: Node

    init() throws {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        self.schemas = try #require(try compose(yaml: text)?["components"]?["schemas"])
    }

    private func strings(_ node: Node?) -> [String] {
        node?.sequence?.compactMap(\.string) ?? []
    }

    private func elements(_ node: Node?) -> [Node] {
        node?.sequence.map(Array.init) ?? []
    }

    /// The schema that `$ref` names.
    private func target(of node: Node) throws -> (name: String, schema: Node)? {
        guard let name = node["$ref"]?.string?.split(separator: "/").last.map(String.init) else { return nil }
        return (name, try #require(self.schemas[name], "there is no schema \(name)"))
    }

    /// The schema of a layer type, from the list of all variants.
    private func schema(of type: LayerType) throws -> Node {
        let variants = try self.elements(self.schemas["LayerConfiguration"]?["oneOf"]).compactMap(self.target)
        let variant = variants.first { $0.schema["properties"]?["type"]?["const"]?.string == type.name }
        return try #require(variant?.schema, "there is no schema of \(type.name)")
    }

    /// What a schema requires, always or under a condition.
    private func namesRequiredSomewhere(in schema: Node) -> Set<String> {
        let conditions =
            [schema["else"]].compactMap(\.self) + self.elements(schema["oneOf"]) + self.elements(schema["anyOf"])
        return Set(([schema] + conditions).flatMap { self.strings($0["required"]) })
    }

    /// The JSON types that a schema allows, a tensor being one of its own.
    private func jsonTypes(of schema: Node) throws -> Set<String> {
        if let (name, target) = try self.target(of: schema) {
            return name == "Tensor" ? ["tensor"] : try self.jsonTypes(of: target)
        }
        if let alternatives = schema["oneOf"] {
            return try self.elements(alternatives).reduce(into: []) { try $0.formUnion(self.jsonTypes(of: $1)) }
        }
        if let values = schema["enum"] {
            return Set(self.elements(values).map { $0.float == nil ? "string" : "number" })
        }
        return Set(schema["type"]?.string.map { [$0] } ?? self.strings(schema["type"]))
    }

    /// The words among the values that a schema allows.
    private func words(of schema: Node) throws -> [String] {
        if let (_, target) = try self.target(of: schema) {
            return try self.words(of: target)
        }
        return self.elements(schema["enum"]).filter { $0.float == nil }.compactMap(\.string)
            + (try self.elements(schema["oneOf"]).flatMap(self.words))
    }

    /// The default of a property, its own or that of the schema which it refers to.
    private func defaultValue(of schema: Node) throws -> Node? {
        if let value = schema["default"] {
            return value
        }
        return try self.target(of: schema).flatMap { try self.defaultValue(of: $0.schema) }
    }

    @Test func theTypesAreThoseOfTheTable() throws {
        let names = LayerType.all.map(\.name)
        #expect(self.strings(self.schemas["LayerTypeName"]?["enum"]).sorted() == names.sorted())
        let configuration = try #require(self.schemas["LayerConfiguration"])
        #expect(self.elements(configuration["oneOf"]).count == names.count)
        let mapping = try #require(configuration["discriminator"]?["mapping"]?.mapping)
        #expect(mapping.keys.compactMap(\.string).sorted() == names.sorted())
        for name in names {
            let type = try #require(LayerType.named(name))
            let schema = try self.schema(of: type)
            let reference = try #require(mapping[Node(name)])
            #expect(try self.target(of: ["$ref": reference])?.schema == schema, "\(name)")
            #expect(schema["title"]?.string == name)
            #expect(schema["additionalProperties"]?.bool == false, "\(name)")
        }
    }

    @Test(arguments: LayerType.all.map(\.name))
    func theParametersAreThoseOfTheTable(name: String) throws {
        let type = try #require(LayerType.named(name))
        let schema = try self.schema(of: type)
        let properties = try #require(schema["properties"]?.mapping).keys.compactMap(\.string)
        #expect(Set(properties) == Set(type.parameters.map(\.name.rawValue) + ["type"]))
        // What may stand in for a required parameter is required in its absence; a flag only lifts the requirement.
        let required = type.parameters.filter(\.isRequired)
        let substitutes = required.compactMap(\.substitute).filter { type[$0]?.kind != .boolean }
        let names = (required.map(\.name) + substitutes).map(\.rawValue)
        #expect(self.namesRequiredSomewhere(in: schema) == Set(names + ["type"]))
        let alwaysRequired = required.filter { $0.substitute == nil }.map(\.name.rawValue)
        #expect(Set(self.strings(schema["required"])) == Set(alwaysRequired + ["type"]))
    }

    @Test(arguments: LayerType.all.map(\.name))
    func kindsChoicesAndDefaultsAreThoseOfTheTable(name: String) throws {
        let type = try #require(LayerType.named(name))
        let schema = try self.schema(of: type)
        for parameter in type.parameters {
            let comment = Comment(rawValue: "\(name), \(parameter.name)")
            let property = try #require(schema["properties"]?[parameter.name.rawValue], comment)
            #expect(try self.jsonTypes(of: property) == parameter.jsonTypes, comment)
            #expect(try self.words(of: property) == parameter.kind.choices ?? [], comment)
            let value = try self.defaultValue(of: property)
            switch parameter.defaultValue {
            case nil, .tensor: #expect(value == nil, comment)
            case .real(let number): #expect(value?.float == number, comment)
            case .integer(let number): #expect(value?.int == number, comment)
            case .boolean(let flag): #expect(value?.bool == flag, comment)
            case .text(let word): #expect(value?.string == word, comment)
            case .integers(let list): #expect(self.elements(value).map(\.int) == list, comment)
            case .null: #expect(value?.null != nil, comment)
            }
        }
    }
}

extension ParameterSpecification {
    /// The JSON types of its values, a tensor being one of its own. `null` is no tensor, where one can be done without.
    fileprivate var jsonTypes: Set<String> {
        switch self.kind {
        case .tensor: self.isRequired && self.substitute == nil ? ["tensor"] : ["tensor", "null"]
        case .real: ["number"]
        case .integer: ["integer"]
        case .boolean: ["boolean"]
        case .choice: ["string"]
        case .integers: ["integer", "array"]
        case .realOrWord: ["number", "string"]
        case .integerOrNull: ["integer", "null"]
        case .realOrTensor: ["number", "tensor"]
        }
    }
}
