import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// How the value of a parameter is written where it is not part of a JSON text.
enum ParameterNotation {
    /// In a query: JSON, but for words, which need no quotation marks, and for lists, which need no brackets.
    case query
    /// In the metadata of a safetensors file: JSON; words need no quotation marks.
    case metadata

    /// Where a value stands, for messages.
    fileprivate var place: String {
        switch self {
        case .query: "the query parameter"
        case .metadata: "the metadata's"
        }
    }
}

extension LayerDocument {
    /// A layer of the type named `typeName`, whose parameters are given as texts.
    init(
        typeName: String,
        _ parameters: [(name: String, text: String)],
        _ notation: ParameterNotation
    ) throws(HTTPProblem) {
        guard let type = LayerType.named(typeName.asWord) else {
            self = .unknownType(typeName.asWord)
            return
        }
        var values: [(ParameterName, Value)] = []
        for (name, text) in parameters {
            let specification = try type.parameter(name)
            try notation.value(of: specification, text).map { values.append((specification.name, $0)) }
        }
        self = .inline(type, values)
    }
}

extension ParameterNotation {
    /// The value that the text stands for; nil for a tensor that is stated to be none.
    fileprivate func value(
        of parameter: ParameterSpecification,
        _ text: String
    ) throws(HTTPProblem) -> LayerDocument.Value? {
        let json = Array(self.json(parameter.kind, text).utf8)
        do throws(TensorFormatError) {
            return try json.withUnsafeBufferPointer { (buffer) throws(TensorFormatError) in
                let bytes = UnsafeRawBufferPointer(buffer)
                var reader = try JSONReader(bytes)
                if parameter.kind == .tensor, try reader.peekKind() == .null {
                    try reader.readNull()
                    try reader.finish()
                    return nil
                }
                let value = try LayerDocument.readValue(parameter.kind, &reader)
                try reader.finish()
                guard case .tensor(let tensor) = value else { return value }
                // Its numbers are judged now, where the text can be named that is to blame.
                _ = try tensor.decode(from: bytes, default: .fp64)
                return .text(tensor, json)
            }
        } catch {
            if case .outOfMemory = error { throw HTTPProblem(error) }
            throw HTTPProblem(
                .invalidValue,
                "\(self.place) \(parameter.name) must be \(self.description(of: parameter.kind))",
                pointer: "/layer/\(parameter.name)"
            )
        }
    }

    /// The text as JSON.
    private func json(_ kind: ParameterKind, _ text: String) -> String {
        switch kind {
        case .choice: return Self.quoted(text)
        case .realOrWord(let words):
            return words.contains { $0.utf8.elementsEqual(text.utf8) } ? Self.quoted(text) : text
        case .integers, .tensor:
            // A single integer is a list of one; a single number is no tensor in JSON.
            return self == .metadata || text.isJSONOfItsOwn ? text : "[\(text)]"
        case .realOrTensor:
            return self == .query && text.utf8.contains(UInt8(ascii: ",")) && !text.isJSONOfItsOwn ? "[\(text)]" : text
        case .real, .integer, .boolean, .integerOrNull: return text
        }
    }

    /// The text in quotation marks, unless it has them.
    private static func quoted(_ text: String) -> String {
        guard text.utf8.first != UInt8(ascii: "\"") else { return text }
        var writer = JSONWriter()
        writer.string(text)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func description(of kind: ParameterKind) -> String {
        switch (self, kind) {
        case (.query, .tensor): "numbers with commas between them"
        case (.query, .integers): "integers with commas between them"
        case (.query, .realOrTensor): "a number"
        default: kind.description
        }
    }
}

extension LayerType {
    /// What is known of the parameter of this name, or 422.
    func parameter(_ name: String) throws(HTTPProblem) -> ParameterSpecification {
        guard let specification = self[ParameterName(rawValue: name.asWord)] else {
            throw HTTPProblem(
                .unknownMember,
                "\(self.name) has no parameter '\(name.asWord)'",
                pointer: "/layer/\(name.asWord)"
            )
        }
        return specification
    }
}

extension String {
    /// The text itself if it is short and printable ASCII; else what is left of it when it is made so, which is no word of
    /// any vocabulary. Fit to be shown, and to be compared.
    var asWord: String {
        let isPlain = { (byte: UInt8) in 0x20..<0x7f ~= byte && byte != UInt8(ascii: "~") && byte != UInt8(ascii: "/") }
        guard self.utf8.count > 64 || !self.utf8.allSatisfy(isPlain) else { return self }
        return String(decoding: self.utf8.prefix(64).map { isPlain($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self) + "…"
    }

    /// Whether a list or a tensor is written in full.
    fileprivate var isJSONOfItsOwn: Bool {
        self.utf8.first == UInt8(ascii: "[") || self.utf8.first == UInt8(ascii: "{")
            || self.utf8.elementsEqual("null".utf8)
    }
}
