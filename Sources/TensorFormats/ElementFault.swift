/// Why text is not an element; the caller knows where it stands.
enum ElementFault: Error, Equatable {
    /// A number breaks the grammar.
    case malformed(NumberRule)
    /// There is no JSON value.
    case notAValue
    /// An array stands there.
    case array
    /// The value is of a kind that the element type does not take.
    case wrongKind(JSONKind)
    /// The number has a fraction or an exponent; the element type has only integers.
    case fraction
    /// The integer does not fit into the element type.
    case outOfRange
}

/// What RFC 8259 §6 asks of a number.
public enum NumberRule: Equatable, Sendable {
    case noDigits
    case leadingZero
    case noFractionDigits
    case noExponentDigits
    case trailingCharacter
}

extension NumberRule: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noDigits: "a digit must follow the minus sign"
        case .leadingZero: "it must not begin with zeros"
        case .noFractionDigits: "a digit must follow the decimal point"
        case .noExponentDigits: "a digit must follow the exponent's e"
        case .trailingCharacter: "it must be a decimal, such as -1.5e-7"
        }
    }
}
