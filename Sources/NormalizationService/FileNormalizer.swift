public import AlignedMemory
public import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// Normalizes a tensor in a file, as `POST /normalize` does one in a body.
public struct FileNormalizer: Sendable {
    /// What a file of tensors is.
    public enum Format: Sendable {
        case npy
        case safetensors

        /// Told by how the file begins: whatever is no `.npy` file is taken for the other.
        public init(of file: UnsafeRawBufferPointer) {
            self = NPYHeader.isAtStart(of: file) ? .npy : .safetensors
        }
    }

    /// Where the layer is described.
    public enum Layer: Sendable {
        /// In the metadata of the safetensors file that the tensor stands in.
        case inFile
        /// In a query, as `type=layer_norm&normalized_shape=768`.
        case query(String)
        /// In the JSON object that takes up the range.
        case json(AlignedBuffer, Range<Int>)
        /// In a safetensors file of its own, which takes up the range.
        case safetensors(AlignedBuffer, Range<Int>)
    }

    /// The names of the data types that an output may have.
    public static let outputTypes = DataType.allCases.filter(\.isFloatingPoint).map(\.rawValue)

    private let threadCount: Int

    /// - Parameter threadCount: how many threads may share the tensor.
    public init(threadCount: Int) {
        self.threadCount = threadCount
    }

    /// Normalizes the tensor of the file in `range` of `buffer`, which is given up, and writes a file of its own.
    ///
    /// - Parameters:
    ///   - outputType: the name of the data type of the output, `FP16`; nil for the one by default.
    ///   - output: what to write.
    /// - Returns: the pieces of the file.
    public func normalize(
        _ buffer: AlignedBuffer,
        _ range: Range<Int>,
        as input: Format,
        by layer: Layer,
        outputType: String? = nil,
        to output: Format
    ) throws(HTTPProblem) -> [HTTPBodyPart] {
        let outputType = try outputType.map { (name) throws(HTTPProblem) in
            try DataType(name, of: "the output's datatype", pointer: "/output/datatype")
        }
        let layers = LayerRepository()
        let source = NormalizeSource(buffer: buffer, range: range, elementLimit: .max, layers: layers)
        let described = try Self.document(of: layer, in: layers)
        let task: NormalizeTask
        switch (input, described) {
        case (.safetensors, let described):
            task = try source.safetensors(described?.layer, outputType: outputType ?? described?.outputType)
        case (.npy, let described?):
            task = try source.npy(described.layer, outputType: outputType ?? described.outputType)
        case (.npy, nil):
            throw HTTPProblem(.missingMember, "an .npy file describes no layer; it must be given", pointer: "/layer")
        }
        let answer = NormalizeAnswer(task, try task.run(threadCount: self.threadCount))
        switch output {
        case .npy: return answer.npy
        case .safetensors: return answer.safetensors(timing: nil)
        }
    }

    /// The layer, if it is not in the file of the tensor itself, and the type of the output if it comes along.
    private static func document(
        of layer: Layer,
        in layers: LayerRepository
    ) throws(HTTPProblem) -> (layer: LayerDocument, outputType: DataType?)? {
        switch layer {
        case .inFile:
            return nil
        case .query(let text):
            let query = try NormalizeQuery(try QueryParameters(Substring(text)))
            return (query.layer, query.outputType)
        case .json(let buffer, let range):
            let text = try Self.body(buffer, range)
            let maximumDepth = NormalizationService.Configuration().maximumJSONDepth
            return (try Self.register(LayerDefinition(json: text, maximumDepth: maximumDepth), in: layers), nil)
        case .safetensors(let buffer, let range):
            let file = try HTTPProblem.wording { () throws(TensorFormatError) in
                try SafetensorsRequest(buffer, range, elementLimit: .max)
            }
            let body = try Self.body(buffer, range)
            return (try Self.register(LayerDefinition(safetensors: body, file), in: layers), nil)
        }
    }

    private static func body(_ buffer: AlignedBuffer, _ range: Range<Int>) throws(HTTPProblem) -> BinaryFraming {
        try HTTPProblem.wording { () throws(TensorFormatError) in
            try BinaryFraming(buffer: buffer, body: range, jsonByteCount: nil)
        }
    }

    /// Registers the layer as `PUT /layers/{name}` does, so that a file means the same to both.
    private static func register(
        _ definition: LayerDefinition,
        in layers: LayerRepository
    ) throws(HTTPProblem) -> LayerDocument {
        guard let name = LayerName("layer") else { preconditionFailure("a word is a name") }
        return .registered(LayerReference(name: try layers.register(definition, as: name).name.text))
    }
}
