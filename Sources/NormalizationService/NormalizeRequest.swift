import Normalization
import TensorFormats
import Tensors

/// The JSON of a request to normalize, before its tensors are decoded (API section 2).
struct NormalizeRequest {
    let id: String?
    let layer: LayerDocument
    let input: JSONTensor
    let output: OutputRequest

    /// How the answer's tensor is wanted.
    struct OutputRequest {
        var dataType: DataType?
        var isNested: Bool?
    }

    /// All tensors of the request.
    var tensors: [JSONTensor] { self.layer.tensors + [self.input] }

    /// Whether the data of a JSON answer is nested.
    var outputIsNested: Bool { self.output.isNested ?? self.input.isNested }

    /// Reads everything but the numbers of the tensors.
    init(_ json: UnsafeRawBufferPointer, maximumDepth: Int) throws(TensorFormatError) {
        var reader = try JSONReader(json, nestingLimit: maximumDepth)
        var id: String?
        var layer: LayerDocument?
        var input: JSONTensor?
        var output = OutputRequest()
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "id": id = try reader.readString()
            case "layer": layer = try LayerDocument(&reader)
            case "input": input = try reader.readTensor()
            case "output": output = try OutputRequest(&reader)
            default: throw reader.unknownMember(key)
            }
        }
        try reader.finish()
        guard let layer else { throw .missingMember(name: "layer", pointer: "", offset: 0) }
        guard let input else { throw .missingMember(name: "input", pointer: "", offset: 0) }
        self.id = id
        self.layer = layer
        self.input = input
        self.output = output
    }
}

extension NormalizeRequest.OutputRequest {
    fileprivate init(_ reader: inout JSONReader) throws(TensorFormatError) {
        var dataType: DataType?
        var isNested: Bool?
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "datatype": dataType = try reader.readDataType()
            case "representation": isNested = try reader.readChoice(["flat", "nested"]) == "nested"
            default: throw reader.unknownMember(key)
            }
        }
        self.init(dataType: dataType, isNested: isNested)
    }
}
