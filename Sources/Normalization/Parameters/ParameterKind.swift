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
}

extension ParameterKind: CustomStringConvertible {
    /// With its article, as it stands in a sentence: "must be a tensor".
    public var description: String {
        switch self {
        case .tensor: "a tensor"
        case .real: "a number"
        case .integer: "an integer"
        case .boolean: "true or false"
        case .choice(let words): "one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
        case .integers: "a list of integers"
        }
    }
}
