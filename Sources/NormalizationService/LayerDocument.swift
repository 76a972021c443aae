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
    case registered(LayerReference)

    /// The value of a parameter.
    enum Value {
        case tensor(JSONTensor)
        /// A tensor in a JSON text of its own.
        case text(JSONTensor, [UInt8])
        /// A tensor that is decoded already.
        case held(Tensor)
        case plain(ParameterValue)
    }

    /// The parameters that are tensors.
    var tensors: [JSONTensor] {
        guard case .inline(_, let parameters) = self else { return [] }
        return parameters.compactMap { parameter in
            if case .tensor(let tensor) = parameter.value { tensor } else { nil }
        }
    }

}

extension LayerDocument {
    /// - Parameter readMember: reads further members that the object may have here, and says whether it knew one.
    init(
        _ reader: inout JSONReader,
        _ readMember: (inout JSONReader, _ name: String) throws(TensorFormatError) -> Bool = { _, _ in false }
    ) throws(TensorFormatError) {
        guard try reader.peekKind() != .string else {
            self = .registered(LayerReference(name: try reader.readString()))
            return
        }
        let start = reader
        var reference = LayerReference(name: "")
        var typeName: String?
        var layerType: LayerType?
        var isReference = false
        var parameters: [(ParameterName, Value)] = []
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            if try readMember(&reader, key) { return }
            if key == "type" {
                typeName = try reader.readWord()
                layerType = typeName.flatMap(LayerType.named)
                return
            }
            if typeName == nil && !isReference {
                // How a member is read depends on the type, which has not come yet.
                typeName = try Self.typeName(lookingAheadFrom: start)
                layerType = typeName.flatMap(LayerType.named)
                isReference = typeName == nil
            }
            if isReference {
                switch key {
                case "name": reference.name = try reader.readString()
                case "version": reference.version = try reader.readString()
                default: throw reader.unknownMember(key)
                }
            } else if let layerType {
                try Self.readParameter(key, of: layerType, &reader).map { parameters.append($0) }
            } else {
                try reader.skipValue()
            }
        }
        if let layerType {
            self = .inline(layerType, parameters)
        } else if let typeName {
            self = .unknownType(typeName)
        } else if isReference {
            self = .registered(reference)
        } else {
            throw .missingMember(name: "type", pointer: start.pointer, offset: start.offset)
        }
    }

    /// The `type` of the layer object that comes next, or `nil` if it has a `name` in its place.
    private static func typeName(lookingAheadFrom start: JSONReader) throws(TensorFormatError) -> String? {
        var reader = start
        var type: String?
        var hasName = false
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "type": type = try reader.readWord()
            default:
                hasName = hasName || key == "name"
                try reader.passOver()
            }
        }
        guard type != nil || hasName else {
            throw .missingMember(name: "type", pointer: start.pointer, offset: start.offset)
        }
        return type
    }

    private static func readParameter(
        _ key: String,
        of type: LayerType,
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> (ParameterName, Value)? {
        guard let specification = type[ParameterName(rawValue: key)] else { throw reader.unknownMember(key) }
        // As None in Python: the tensor is absent.
        if specification.kind == .tensor, try reader.peekKind() == .null {
            try reader.readNull()
            return nil
        }
        return (specification.name, try Self.readValue(specification.kind, &reader))
    }

    static func readValue(
        _ kind: ParameterKind,
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> Value {
        switch kind {
        case .tensor: return .tensor(try reader.readTensor())
        case .real: return .plain(.real(try reader.readNumber()))
        case .integer: return .plain(.integer(try reader.readInteger()))
        case .boolean: return .plain(.boolean(try reader.readBoolean()))
        case .choice(let words): return .plain(.text(try reader.readChoice(words)))
        case .integers:
            guard try reader.peekKind() == .array else { return .plain(.integers([try reader.readInteger()])) }
            return .plain(.integers(try reader.readIntegers(limit: JSONTensor.rankLimit)))
        case .realOrWord(let words): return .plain(try Self.readRealOrWord(words, &reader))
        case .integerOrNull:
            switch try reader.peekKind() {
            case .number: return .plain(.integer(try reader.readInteger()))
            case .null:
                try reader.readNull()
                return .plain(.null)
            default: throw try reader.wrongKind(expected: kind.description)
            }
        case .realOrTensor:
            switch try reader.peekKind() {
            case .number, .string: return .plain(.real(try reader.readNumber()))
            case .array, .object: return .tensor(try reader.readTensor())
            default: throw try reader.wrongKind(expected: kind.description)
            }
        }
    }

    private static func readRealOrWord(
        _ words: [String],
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> ParameterValue {
        switch try reader.peekKind() {
        case .number: return .real(try reader.readNumber())
        case .string:
            var ahead = reader
            let word = try ahead.readWord()
            // Numbers that are no decimals may be strings, as everywhere.
            guard ["NaN", "Infinity", "-Infinity"].contains(word) else {
                return .text(try reader.readChoice(words))
            }
            return .real(try reader.readNumber())
        default: throw try reader.wrongKind(expected: ParameterKind.realOrWord(words).description)
        }
    }
}
