import Tensors

/// One of the `inputs` of an inference request (Open Inference Protocol), before its elements are decoded.
public struct InferenceInput: Sendable {
    /// Cut and escaped so that it may be compared and shown, as `readWord` does it.
    public let name: String

    /// The name of the data type, likewise; there may be no such type here.
    public let dataType: String

    /// Shape and elements; nil where the elements are said to be in shared memory.
    public let tensor: JSONTensor?
}

extension JSONReader {
    /// Reads an input: an object with `name`, `datatype`, `shape`, and `data` or `parameters` that say where the
    /// elements are. As the protocol's servers do, it passes over members that it does not know.
    public mutating func readInferenceInput() throws(TensorFormatError) -> InferenceInput {
        _ = try self.peekToken()
        let offset = self.position
        var name: String?
        var dataType: String?
        var shape: Shape?
        var data: (range: Range<Int>, isNested: Bool)?
        var place = Place()
        try self.readOpenObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "name": name = try reader.readWord()
            case "datatype": dataType = try reader.readWord()
            case "shape": shape = try reader.readShape()
            case "data": data = try reader.skipArray()
            case "parameters": place = try Place(&reader)
            default: return false
            }
            return true
        }
        guard let name else { throw .missingMember(name: "name", pointer: self.pointer, offset: offset) }
        guard let dataType else { throw .missingMember(name: "datatype", pointer: self.pointer, offset: offset) }
        guard let shape else { throw .missingMember(name: "shape", pointer: self.pointer, offset: offset) }
        guard !place.isSharedMemory else { return InferenceInput(name: name, dataType: dataType, tensor: nil) }
        let content: JSONTensor.Content
        switch (data, place.byteCount) {
        case (let data?, nil): content = .text(data.range)
        case (nil, let byteCount?): content = .binary(byteCount: byteCount)
        case (nil, nil): throw .neitherDataNorBinary(pointer: self.pointer, offset: offset)
        default: throw .dataAndBinary(pointer: self.pointer, offset: offset)
        }
        let tensor = JSONTensor(
            shape: shape,
            dataType: nil,
            content: content,
            isNested: data?.isNested ?? false,
            path: self.path,
            isObject: true,
            offset: offset
        )
        return InferenceInput(name: name, dataType: dataType, tensor: tensor)
    }
}

/// Where the `parameters` of an input say that its elements are.
private struct Place {
    /// `binary_data_size`: behind the JSON, as so many bytes.
    var byteCount: Int?

    /// `shared_memory_region`
    var isSharedMemory = false

    init() {}

    init(_ reader: inout JSONReader) throws(TensorFormatError) {
        var byteCount: Int?
        var isSharedMemory = false
        try reader.readOpenObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "binary_data_size": byteCount = try reader.readByteCount()
            case "shared_memory_region":
                _ = try reader.readString()
                isSharedMemory = true
            default: return false
            }
            return true
        }
        self.byteCount = byteCount
        self.isSharedMemory = isSharedMemory
    }
}
