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
    case registered(name: String)

    /// The value of a parameter.
    enum Value {
        case tensor(JSONTensor)
        case plain(ParameterValue)
    }

    init(_ reader: inout JSONReader) throws(TensorFormatError) {
        if try reader.peekKind() == .string {
            self = .registered(name: try reader.readString())
            return
        }
        // How a parameter is read depends on the type, which may come after it.
        var ahead = reader
        var typeName: String?
        var layerName: String?
        try ahead.readObject { (ahead, key) throws(TensorFormatError) in
            switch key {
            case "type": typeName = try ahead.readString()
            case "name": layerName = try ahead.readString()
            default: try ahead.skipStructure()
            }
        }
        switch (typeName, layerName) {
        case (nil, nil): throw .missingMember(name: "type", pointer: reader.pointer, offset: reader.offset)
        case (nil, let name?): self = .registered(name: try Self.readReference(&reader, name: name))
        case (let name?, _):
            guard let type = LayerType.named(name) else {
                self = .unknownType(name)
                reader = ahead
                return
            }
            self = .inline(type, try Self.readParameters(of: type, &reader))
        }
    }

    private static func readReference(_ reader: inout JSONReader, name: String) throws(TensorFormatError) -> String {
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            guard key == "name" || key == "version" else { throw reader.unknownMember(key) }
            _ = try reader.readString()
        }
        return name
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
            guard let specification = type.parameters.first(where: { $0.name.rawValue == key }) else {
                throw reader.unknownMember(key)
            }
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
