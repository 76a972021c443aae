/// What a JSON value is, told by its first byte.
public enum JSONKind: Equatable, Sendable {
    case object
    case array
    case string
    /// Also the bare tokens `NaN`, `Infinity` and `-Infinity`.
    case number
    case boolean
    case null
}

extension JSONKind: CustomStringConvertible {
    /// With its article, for sentences: `an object`.
    public var description: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .boolean: "true or false"
        case .null: "null"
        }
    }
}
