import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// The `layer` of a request, before the tensors among its parameters are decoded.
enum LayerDocument {
    /// A type with its parameters.
    case inline(LayerType, [(name: ParameterName, value: Value)])
    /// The name of a type that does not exist.
    case unknownType(String)
    /// The name of a registered layer.
    case registered

    /// The value of a parameter.
    enum Value {
        case tensor(JSONTensor)
        case plain(ParameterValue)
    }

    /// The parameters that are tensors.
    var tensors: [JSONTensor] {
        guard case .inline(_, let parameters) = self else { return [] }
        return parameters.compactMap { parameter in
            if case .tensor(let tensor) = parameter.value { tensor } else { nil }
        }
    }

    /// Makes the layer, whose tensors stand in `body`.
    ///
    /// - Parameter precision: the type of parameters that state none.
    func layer(in body: BinaryFraming, precision: DataType) throws(HTTPProblem) -> any NormalizationLayer {
        switch self {
        case .registered:
            throw HTTPProblem(.unknownLayer, "no layer of this name is registered", pointer: "/layer")
        case .unknownType(let name):
            let known = LayerType.all.map(\.name).joined(separator: ", ")
            throw HTTPProblem(
                .unknownLayerType,
                "the layer type is '\(name.prefix(64))'; it must be one of \(known)",
                pointer: "/layer/type"
            )
        case .inline(let type, let parameters):
            var values: [ParameterName: ParameterValue] = [:]
            do throws(TensorFormatError) {
                for parameter in parameters {
                    switch parameter.value {
                    case .plain(let value): values[parameter.name] = value
                    case .tensor(let tensor):
                        values[parameter.name] = .tensor(try body.decode(tensor, default: precision))
                    }
                }
            } catch {
                throw HTTPProblem(error)
            }
            do throws(LayerError) {
                return try type.makeLayer(LayerParameters(values))
            } catch {
                throw HTTPProblem(error)
            }
        }
    }
}

extension LayerDocument {
    init(_ reader: inout JSONReader) throws(TensorFormatError) {
        if try reader.peekKind() == .string {
            _ = try reader.readString()
            self = .registered
            return
        }
        // How a parameter is read depends on the type, which may come after it.
        var ahead = reader
        var typeName: String?
        var isReference = false
        try ahead.readObject { (ahead, key) throws(TensorFormatError) in
            switch key {
            case "type": typeName = try ahead.readString()
            case "name":
                isReference = true
                try ahead.skipValue()
            default: try ahead.skipValue()
            }
        }
        if let typeName {
            guard let type = LayerType.named(typeName) else {
                self = .unknownType(typeName)
                reader = ahead
                return
            }
            self = .inline(type, try Self.readParameters(of: type, &reader))
        } else {
            guard isReference else {
                throw .missingMember(name: "type", pointer: reader.pointer, offset: reader.offset)
            }
            try Self.readReference(&reader)
            self = .registered
        }
    }

    /// Reads `{"name": …, "version": …}`.
    private static func readReference(_ reader: inout JSONReader) throws(TensorFormatError) {
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            guard key == "name" || key == "version" else { throw reader.unknownMember(key) }
            _ = try reader.readString()
        }
    }

    private static func readParameters(
        of type: LayerType,
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> [(ParameterName, Value)] {
        var parameters: [(ParameterName, Value)] = []
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            if key == "type" {
                _ = try reader.readString()
                return
            }
            guard let specification = type[ParameterName(rawValue: key)] else { throw reader.unknownMember(key) }
            // As None in Python: the parameter is absent.
            if try reader.peekKind() == .null {
                try reader.readNull()
                return
            }
            parameters.append((specification.name, try Self.readValue(specification.kind, &reader)))
        }
        return parameters
    }

    private static func readValue(
        _ kind: ParameterKind,
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> Value {
        switch kind {
        case .tensor: return .tensor(try reader.readTensor())
        case .real: return .plain(.real(try reader.readNumber()))
        case .integer: return .plain(.integer(try reader.readInteger()))
        case .boolean: return .plain(.boolean(try reader.readBoolean()))
        case .choice: return .plain(.text(try reader.readString()))
        case .integers:
            guard try reader.peekKind() == .array else { return .plain(.integers([try reader.readInteger()])) }
            var integers: [Int] = []
            try reader.readArray { (reader) throws(TensorFormatError) in
                integers.append(try reader.readInteger())
            }
            return .plain(.integers(integers))
        }
    }
}
