import Foundation
import Tensors
import Testing

@testable import Normalization

/// The layers against what PyTorch computed in FP64 (Tests/Fixtures/make_fixtures.py).
@Suite struct GoldenTests {
    @Test(arguments: LayerType.all.map(\.name))
    func agreesWithPyTorch(typeName: String) throws {
        let type = try #require(LayerType.named(typeName))
        let file = try SafetensorsFile(of: type)
        #expect(file.cases.count >= 12)
        for (name, options) in file.cases {
            var parameters = options
            for specification in type.parameters {
                if let tensor = file.tensors["\(name).\(specification.name)"] {
                    parameters[specification.name] = .tensor(tensor)
                }
            }
            let expected = try #require(file.tensors["\(name).expected"]).values
            let weights = file.tensors["\(name).weight"]?.values ?? []
            let largestWeight = weights.reduce(1) { max($0, $1.magnitude) }
            for (instructionSet, kernels) in kernelSets {
                let layer = try type.makeLayer(LayerParameters(parameters))
                // Read again: the input is normalized in place.
                let input = try #require(SafetensorsFile(of: type).tensors["\(name).input"])
                let results = try layer.normalize(input, into: .fp64, kernels: kernels).output.values
                #expect(results.count == expected.count)
                for (result, expected) in zip(results, expected) {
                    let tolerance = tolerance(
                        expected,
                        weight: largestWeight,
                        bias: 1,
                        computesInDouble: input.dataType.computesInDouble,
                        output: .fp64
                    )
                    let isClose = (result - expected).magnitude <= tolerance
                    #expect(isClose, "case \(name), \(instructionSet)")
                }
            }
        }
    }
}

/// Just enough of a reader for files that this project writes itself.
private struct SafetensorsFile {
    private(set) var tensors: [String: Tensor] = [:]
    private(set) var cases: [String: [ParameterName: ParameterValue]] = [:]

    init(of type: LayerType) throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: directory.appendingPathComponent("Fixtures/\(type.name).safetensors"))
        let headerLength = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let blob = data.dropFirst(8 + headerLength)
        let json = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(headerLength))
        let header = try #require(json as? [String: [String: Any]])
        let dataTypes: [String: DataType] = ["F16": .fp16, "BF16": .bf16, "F32": .fp32, "F64": .fp64]
        for (name, entry) in header where name != "__metadata__" {
            let typeName = try #require(entry["dtype"] as? String)
            let dataType = try #require(dataTypes[typeName])
            let dimensions = try #require(entry["shape"] as? [Int])
            let shape = try Shape(dimensions)
            let offsets = try #require(entry["data_offsets"] as? [Int])
            let tensor = try Tensor(uninitialized: dataType, shape: shape)
            let bytes = blob.dropFirst(offsets[0]).prefix(offsets[1] - offsets[0])
            withExtendedLifetime(tensor) { tensor.bytes.copyBytes(from: bytes) }
            self.tensors[name] = tensor
        }
        let metadata = try #require(header["__metadata__"]?["cases"] as? String)
        let options = try JSONSerialization.jsonObject(with: Data(metadata.utf8))
        for (name, members) in try #require(options as? [String: [String: Any]]) {
            var parameters: [ParameterName: ParameterValue] = [:]
            for (key, value) in members {
                let parameter = ParameterName(rawValue: key)
                let kind = try #require(type[parameter]?.kind, "\(type.name) has no \(key)")
                parameters[parameter] = try Self.value(value, kind)
            }
            self.cases[name] = parameters
        }
    }

    private static func value(_ value: Any, _ kind: ParameterKind) throws -> ParameterValue {
        switch kind {
        case .real, .realOrTensor: return .real(try #require(value as? Double))
        case .integer: return .integer(try #require(value as? Int))
        case .boolean: return .boolean(try #require(value as? Bool))
        case .choice: return .text(try #require(value as? String))
        case .integers: return .integers(try #require(value as? [Int]))
        case .integerOrNull: return value is NSNull ? .null : .integer(try #require(value as? Int))
        case .realOrWord:
            if let word = value as? String { return .text(word) }
            return .real(try #require(value as? Double))
        case .tensor: return try #require(nil, "a tensor stands beside the cases, not in them")
        }
    }
}
