import Foundation
import Normalization
import Testing
import Yams

@testable import NormalizationService

/// `GET /layer-types`.
@Suite struct LayerTypesTests {
    private let client = ServiceClient()

    private func layerTypes() throws -> [[String: Any]] {
        let answer = try self.client.send(.get, "/layer-types")
        #expect(answer.status == 200)
        #expect(answer.isByHead)
        #expect(answer.fields[.contentType] == "application/json")
        let json = try answer.json
        #expect(Set(json.keys) == ["layer_types"])
        return try #require(json["layer_types"] as? [[String: Any]])
    }

    private func parameters(of name: String) throws -> [[String: Any]] {
        let type = try #require(try self.layerTypes().first { $0["name"] as? String == name })
        return try #require(type["parameters"] as? [[String: Any]])
    }

    private func parameter(_ name: String, of type: String) throws -> [String: Any] {
        try #require(try self.parameters(of: type).first { $0["name"] as? String == name })
    }

    @Test func allTypesAreThereAsTheTableHasThem() throws {
        let types = try self.layerTypes()
        #expect(types.map { $0["name"] as? String } == LayerType.all.map(\.name))
        for (described, type) in zip(types, LayerType.all) {
            #expect(described["summary"] as? String == type.summary)
            #expect(described["formula"] as? String == type.formula)
            #expect(described["source"] as? String == type.source)
            let parameters = try #require(described["parameters"] as? [[String: Any]])
            #expect(parameters.map { $0["name"] as? String } == type.parameters.map(\.name.rawValue))
            #expect(parameters.map { $0["summary"] as? String } == type.parameters.map(\.summary))
            #expect(parameters.map { $0["required"] as? Bool } == type.parameters.map(\.isRequired))
            #expect(parameters.map { $0["substitute"] as? String } == type.parameters.map(\.substitute?.rawValue))
        }
    }

    @Test func theMembersAreThoseOfTheSchemas() throws {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        let schemas = try #require(try compose(yaml: text)?["components"]?["schemas"])
        func check(_ object: [String: Any], _ name: String) throws {
            let properties = try #require(schemas[name]?["properties"]?.mapping).keys.compactMap(\.string)
            let required = try #require(schemas[name]?["required"]?.sequence).compactMap(\.string)
            #expect(Set(object.keys).isSubset(of: properties), "\(name)")
            #expect(Set(object.keys).isSuperset(of: required), "\(name)")
        }
        let kinds = schemas["ParameterDescription"]?["properties"]?["kind"]?["enum"]?.sequence?.compactMap(\.string)
        for type in try self.layerTypes() {
            try check(type, "LayerTypeDescription")
            for parameter in try #require(type["parameters"] as? [[String: Any]]) {
                try check(parameter, "ParameterDescription")
                let kind = try #require(parameter["kind"] as? String)
                #expect(kinds?.contains(kind) == true)
            }
        }
    }

    @Test func aRequiredParameterNamesItsSubstituteAndHasNoDefault() throws {
        let mean = try self.parameter("running_mean", of: "batch_norm")
        #expect(mean["kind"] as? String == "tensor")
        #expect(mean["required"] as? Bool == true)
        #expect(mean["substitute"] as? String == "use_batch_statistics")
        #expect(mean["default"] == nil)
        #expect(mean["choices"] == nil)
    }

    @Test func defaultsAreValuesOfTheirKind() throws {
        #expect(try self.parameter("eps", of: "group_norm")["default"] as? Double == 1e-5)
        #expect(try self.parameter("use_batch_statistics", of: "batch_norm")["default"] as? Bool == false)
        let format = try self.parameter("data_format", of: "group_norm")
        #expect(format["kind"] as? String == "choice")
        #expect(format["choices"] as? [String] == ["channels_first", "channels_last"])
        #expect(format["default"] as? String == "channels_first")
    }

    @Test func aDefaultThatDependsOnTheInputIsInTheSummaryOnly() throws {
        let epsilon = try self.parameter("eps", of: "rms_norm")
        #expect(epsilon["default"] == nil)
        #expect((epsilon["summary"] as? String)?.contains("machine epsilon") == true)
    }

    @Test(
        "Every kind has a name of its own",
        arguments: [
            (.tensor, "tensor", nil), (.real, "number", nil), (.integer, "integer", nil), (.boolean, "boolean", nil),
            (.choice(["a", "b"]), "choice", ["a", "b"]), (.integers, "integers", nil),
            (.realOrWord(["inf"]), "number_or_choice", ["inf"]), (.integerOrNull, "integer_or_null", nil),
            (.realOrTensor, "number_or_tensor", nil),
        ] as [(ParameterKind, String, [String]?)]
    )
    func kinds(kind: ParameterKind, name: String, choices: [String]?) {
        #expect(kind.documentedName == name)
        #expect(kind.choices == choices)
    }
}
