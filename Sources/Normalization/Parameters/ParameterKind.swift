/// What a parameter's value must be, and so how a representation reads it.
public enum ParameterKind: Hashable, Sendable {
    case tensor
    case real
    case integer
    case boolean
    /// One of these words.
    case choice([String])
    /// A list of integers; a single one stands for a list of one.
    case integers
    /// A number, or one of these words in place of one.
    case realOrWord([String])
    /// An integer, or null, which is a value of its own and not absence.
    case integerOrNull
    /// A number, or a tensor of one element.
    case realOrTensor
}

extension ParameterKind: CustomStringConvertible {
    /// With its article, as it stands in a sentence: "must be a tensor".
    public var description: String {
        switch self {
        case .tensor: "a tensor"
        case .real: "a number"
        case .integer: "an integer"
        case .boolean: "true or false"
        case .choice(let words): "one of " + Self.quoted(words).joined(separator: ", ")
        case .integers: "a list of integers"
        case .realOrWord(let words): (["a number"] + Self.quoted(words)).joined(separator: " or ")
        case .integerOrNull: "an integer or null"
        case .realOrTensor: "a number or a tensor of one element"
        }
    }
    private static func quoted(_ words: [String]) -> [String] {
        words.map { "\"\($0)\"" }
    }
}
