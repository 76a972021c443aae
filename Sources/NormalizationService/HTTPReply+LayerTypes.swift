import HTTPCore
import Normalization
import TensorFormats

extension HTTPReply {
    /// Every type of layer with its parameters, from the table that validates requests.
    static let layerTypes = HTTPReply.json { writer in
        writer.object { writer in
            writer.name("layer_types")
            writer.array { writer in
                for type in LayerType.all {
                    writer.value(type)
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ type: LayerType) {
        self.object { writer in
            writer.member("name", type.name)
            writer.member("summary", type.summary)
            writer.member("formula", type.formula)
            writer.member("source", type.source)
            writer.name("parameters")
            writer.array { writer in
                for parameter in type.parameters {
                    writer.value(parameter)
                }
            }
        }
    }

    private mutating func value(_ parameter: ParameterSpecification) {
        self.object { writer in
            writer.member("name", parameter.name.rawValue)
            writer.member("kind", parameter.kind.documentedName)
            writer.name("required")
            writer.boolean(parameter.isRequired)
            if let value = parameter.defaultValue {
                writer.name("default")
                writer.value(value)
            }
            if let substitute = parameter.substitute {
                writer.member("substitute", substitute.rawValue)
            }
            if let choices = parameter.kind.choices {
                writer.name("choices")
                writer.array { writer in
                    for choice in choices {
                        writer.string(choice)
                    }
                }
            }
            writer.member("summary", parameter.summary)
        }
    }

    mutating func value(_ value: ParameterValue) {
        switch value {
        case .tensor: preconditionFailure("tensors are written by other means")
        case .real(let number): self.number(number)
        case .integer(let number): self.integer(number)
        case .boolean(let flag): self.boolean(flag)
        case .text(let word): self.string(word)
        case .integers(let list):
            self.array { writer in
                for number in list {
                    writer.integer(number)
                }
            }
        case .null: self.null()
        }
    }
}

extension ParameterKind {
    /// What `GET /layer-types` calls it.
    var documentedName: String {
        switch self {
        case .tensor: "tensor"
        case .real: "number"
        case .integer: "integer"
        case .boolean: "boolean"
        case .choice: "choice"
        case .integers: "integers"
        case .realOrWord: "number_or_choice"
        case .integerOrNull: "integer_or_null"
        case .realOrTensor: "number_or_tensor"
        }
    }

    /// The words that it allows, if it allows any.
    var choices: [String]? {
        switch self {
        case .choice(let words), .realOrWord(let words): words
        case .tensor, .real, .integer, .boolean, .integers, .integerOrNull, .realOrTensor: nil
        }
    }
}
