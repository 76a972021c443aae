import AlignedMemory
import Normalization
import TensorFormats
import Tensors

/// How a layer stands in a safetensors file: its tensors by the names of the parameters; in the metadata `type`,
/// `datatype`, every other parameter as its JSON text, and in `untyped` the names of the tensors that came without a
/// data type.
enum LayerFile {
    static let typeName = "type"
    static let dataTypeName = "datatype"
    static let untypedName = "untyped"

    /// What is to be written for a layer.
    static func contents(of definition: LayerDefinition) -> SafetensorsWriter {
        var tensors: [(name: String, tensor: Tensor)] = []
        var metadata = [
            (name: self.typeName, value: definition.type.name),
            (name: self.dataTypeName, value: definition.dataType.rawValue),
        ]
        for (name, value) in definition.values {
            if case .tensor(let tensor) = value {
                tensors.append((name.rawValue, tensor))
            } else {
                metadata.append((name.rawValue, JSONWriter.text { $0.value(value) }))
            }
        }
        if !definition.untyped.isEmpty {
            let names = definition.untyped.map(\.rawValue).sorted()
            let text = JSONWriter.text { writer in
                writer.array { writer in for name in names { writer.string(name) } }
            }
            metadata.append((self.untypedName, text))
        }
        return SafetensorsWriter(tensors, metadata: metadata)
    }

    /// Reads a layer back.
    static func definition(
        in file: borrowing SafetensorsFile,
        elementLimit: Int
    ) throws(LayerFileError) -> LayerDefinition {
        let metadata = file.header.metadata
        guard let name = metadata.first(where: { $0.name == self.typeName })?.value, let type = LayerType.named(name)
        else { throw .unknownType }
        var dataType: DataType?
        var untyped: Set<ParameterName> = []
        var values: [ParameterName: ParameterValue] = [:]
        for (name, text) in metadata where name != self.typeName {
            switch name {
            case self.dataTypeName:
                guard let announced = DataType(rawValue: text), announced.isFloatingPoint else {
                    throw .invalidMetadata(name: name)
                }
                dataType = announced
            case self.untypedName:
                untyped = try self.names(text)
            default:
                guard let parameter = type[ParameterName(rawValue: name)] else { throw .invalidMetadata(name: name) }
                values[parameter.name] = try self.value(text, of: parameter)
            }
        }
        for entry in file.header.entries {
            guard let parameter = type[ParameterName(rawValue: entry.name)], values[parameter.name] == nil,
                parameter.kind == .tensor || parameter.kind == .realOrTensor
            else { throw .unknownTensor(name: String(entry.name.prefix(64))) }
            let tensor = try file.tensor(entry, elementLimit: elementLimit)
            guard tensor.dataType == .fp64 || !untyped.contains(parameter.name) else {
                throw .invalidMetadata(name: self.untypedName)
            }
            values[parameter.name] = .tensor(tensor)
        }
        return LayerDefinition(type, dataType: dataType, values: values, untyped: untyped)
    }

    /// A parameter's value, from its JSON text.
    private static func value(
        _ text: String,
        of parameter: ParameterSpecification
    ) throws(LayerFileError) -> ParameterValue {
        let value = self.read(text) { (reader) throws(TensorFormatError) in
            try LayerDocument.readValue(parameter.kind, &reader)
        }
        guard case .plain(let value) = value else { throw .invalidMetadata(name: parameter.name.rawValue) }
        return value
    }

    static func names(_ text: String) throws(LayerFileError) -> Set<ParameterName> {
        let names = self.read(text) { (reader) throws(TensorFormatError) in
            var names: Set<ParameterName> = []
            try reader.readArray { (reader) throws(TensorFormatError) in
                names.insert(ParameterName(rawValue: try reader.readWord()))
            }
            return names
        }
        guard let names else { throw .invalidMetadata(name: self.untypedName) }
        return names
    }

    /// What `body` reads from a text of its own; `nil` where that fails or leaves something.
    private static func read<Value>(
        _ text: String,
        _ body: (inout JSONReader) throws(TensorFormatError) -> Value
    ) -> Value? {
        var text = text
        return text.withUTF8 { bytes in
            do throws(TensorFormatError) {
                var reader = try JSONReader(UnsafeRawBufferPointer(bytes))
                let value = try body(&reader)
                try reader.finish()
                return value
            } catch {
                return nil
            }
        }
    }
}

extension JSONWriter {
    /// A short text.
    fileprivate static func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
