import AlignedMemory
import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// A layer, and maybe an input, in a safetensors file: tensors by their names, all else in the metadata (API section 3).
struct SafetensorsRequest {
    /// The name of the tensor that is to be normalized.
    static let inputName = "input"

    /// No layer needs more to be described, in bytes.
    static let headerLimit = 1 << 20

    /// What the metadata says beside the layer's parameters.
    private static let layerKeys = ["type", "layer", "version"]

    private let header: SafetensorsHeader
    private let buffer: AlignedBuffer
    private let fileOffset: Int
    private let elementLimit: Int

    /// Reads the header of the file in `range` of `buffer`.
    init(_ buffer: AlignedBuffer, _ range: Range<Int>, elementLimit: Int) throws(TensorFormatError) {
        self.header = try SafetensorsHeader(
            UnsafeRawBufferPointer(buffer[range]),
            byteLimit: Self.headerLimit
        )
        self.buffer = buffer
        self.fileOffset = range.lowerBound
        self.elementLimit = elementLimit
    }

    /// The tensor that is to be normalized.
    func input() throws(HTTPProblem) -> Tensor {
        guard let entry = self.header[Self.inputName] else {
            throw HTTPProblem(.missingMember, "the file has no tensor 'input'", pointer: "/input")
        }
        return try self.tensor(entry)
    }

    /// The type of the answer's tensor, if it was asked for.
    func outputType() throws(HTTPProblem) -> DataType? {
        try self.value(of: "output_datatype").map { (name) throws(HTTPProblem) in
            try DataType(name, of: "output_datatype", pointer: "/output/datatype")
        }
    }

    /// The layer: `type` with the parameters among tensors and metadata, or the name of a registered one.
    ///
    /// - Parameters:
    ///   - otherTensors: the names of tensors that are no parameters.
    ///   - otherMetadata: the keys of metadata that are no parameters.
    func layer(
        besides otherTensors: [String] = [Self.inputName],
        _ otherMetadata: [String] = ["output_datatype"]
    ) throws(HTTPProblem) -> LayerDocument {
        let tensors = self.header.entries.filter { entry in !otherTensors.contains { entry.name.isSameText(as: $0) } }
        let texts = self.header.metadata.filter { pair in
            !(otherMetadata + Self.layerKeys).contains { pair.name.isSameText(as: $0) }
        }
        switch (self.value(of: "type"), self.value(of: "layer")) {
        case (let type?, nil):
            guard self.value(of: "version") == nil else { throw Self.unknownMetadata("version") }
            return try self.layer(type, tensors, texts.map { ($0.name, $0.value) })
        case (nil, let name?):
            // A registered layer has all its parameters already.
            if let text = texts.first { throw Self.unknownMetadata(text.name) }
            if let tensor = tensors.first {
                throw HTTPProblem(
                    .unknownMember,
                    "unknown tensor '\(tensor.name.asWord)'; a registered layer takes none"
                )
            }
            return .registered(LayerReference(name: name, version: self.value(of: "version")))
        case (nil, nil):
            throw HTTPProblem(
                .missingMember,
                "the metadata has neither 'type', for a layer with its parameters, nor 'layer', for the name of a "
                    + "registered one",
                pointer: "/layer"
            )
        default:
            throw HTTPProblem(
                .invalidValue,
                "the metadata has both 'type' and 'layer'; it must have one of them",
                pointer: "/layer"
            )
        }
    }

    private func layer(
        _ typeName: String,
        _ tensors: [SafetensorsEntry],
        _ texts: [(name: String, text: String)]
    ) throws(HTTPProblem) -> LayerDocument {
        let document = try LayerDocument(typeName: typeName, texts, .metadata)
        guard case .inline(let type, var parameters) = document else { return document }
        for entry in tensors {
            let specification = try type.parameter(entry.name)
            guard !parameters.contains(where: { $0.name == specification.name }) else {
                throw HTTPProblem(
                    .invalidValue,
                    "\(specification.name) is both a tensor and in the metadata; it must be one of them",
                    pointer: "/layer/\(specification.name)"
                )
            }
            parameters.append((specification.name, .held(try self.tensor(entry))))
        }
        return .inline(type, parameters)
    }

    private func tensor(_ entry: SafetensorsEntry) throws(HTTPProblem) -> Tensor {
        try HTTPProblem.wording { () throws(TensorFormatError) in
            try entry.tensor(in: self.buffer, at: self.fileOffset, elementLimit: self.elementLimit)
        }
    }

    /// The word that the metadata has for `key`; quotation marks around it are JSON's.
    func value(of key: String) -> String? {
        guard let text = self.header.metadata.first(where: { $0.name.isSameText(as: key) })?.value else { return nil }
        guard text.utf8.count > 1, text.utf8.first == UInt8(ascii: "\""), text.utf8.last == UInt8(ascii: "\"") else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }

    private static func unknownMetadata(_ name: String) -> HTTPProblem {
        HTTPProblem(.unknownMember, "unknown key '\(name.asWord)' in the metadata")
    }
}

extension String {
    /// Byte by byte: comparing `String`s of many combining marks takes quadratic time.
    fileprivate func isSameText(as other: String) -> Bool {
        self.utf8.elementsEqual(other.utf8)
    }
}
