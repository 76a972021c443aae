public import Tensors

/// The values given for a layer's parameters.
///
/// Accessors return `nil` for what is absent; ask them after `resolved(for:)` has put the defaults in.
public struct LayerParameters: Sendable {
    private var values: [ParameterName: ParameterValue]

    public init(_ values: [ParameterName: ParameterValue]) {
        self.values = values
    }

    public var names: some Collection<ParameterName> { self.values.keys }

    /// The same with the defaults of `type` for what is absent, once the names and kinds are known to be right.
    func resolved(for type: LayerType) throws(LayerError) -> Self {
        // Sorted, so that the same mistakes give the same error each time.
        for name in self.names.sorted(by: { $0.rawValue < $1.rawValue }) where type[name] == nil {
            throw .unknownParameter(name, layerType: type.name)
        }
        var resolved = self
        for specification in type.parameters {
            if let value = self.values[specification.name] {
                try Self.check(value, specification)
            } else if specification.isRequired, !self.isGiven(specification.substitute) {
                throw .missingParameter(specification.name, substitute: specification.substitute)
            } else {
                resolved.values[specification.name] = specification.defaultValue
            }
        }
        return resolved
    }

    /// Whether a parameter is there and is not `false`.
    private func isGiven(_ name: ParameterName?) -> Bool {
        switch name.flatMap({ self.values[$0] }) {
        case nil, .boolean(false): false
        default: true
        }
    }

    private static func check(
        _ value: ParameterValue,
        _ specification: ParameterSpecification
    ) throws(LayerError) {
        switch (specification.kind, value) {
        case (.tensor, .tensor), (.real, .real), (.real, .integer), (.integer, .integer), (.boolean, .boolean),
            (.integers, .integers), (.integers, .integer), (.realOrWord, .real), (.realOrWord, .integer),
            (.integerOrNull, .integer), (.integerOrNull, .null), (.realOrTensor, .real), (.realOrTensor, .integer),
            (.realOrTensor, .tensor):
            break
        case (.choice(let words), .text(let word)), (.realOrWord(let words), .text(let word)):
            guard words.contains(word) else { throw .unknownChoice(specification.name, word, allowed: words) }
        default:
            throw .wrongKind(specification.name, expected: specification.kind)
        }
    }
}

/// The value of a parameter that is a number or a word.
enum RealOrWord: Equatable {
    case real(Double)
    case word(String)
}

extension LayerParameters {
    public func tensor(_ name: ParameterName) throws(LayerError) -> Tensor? {
        switch self.values[name] {
        case nil: nil
        case .tensor(let tensor): tensor
        default: throw .wrongKind(name, expected: .tensor)
        }
    }

    public func real(_ name: ParameterName) throws(LayerError) -> Double? {
        switch self.values[name] {
        case nil: nil
        case .real(let number): number
        case .integer(let number): Double(number)
        default: throw .wrongKind(name, expected: .real)
        }
    }

    public func integer(_ name: ParameterName) throws(LayerError) -> Int? {
        switch self.values[name] {
        case nil: nil
        case .integer(let number): number
        default: throw .wrongKind(name, expected: .integer)
        }
    }

    public func boolean(_ name: ParameterName) throws(LayerError) -> Bool? {
        switch self.values[name] {
        case nil: nil
        case .boolean(let flag): flag
        default: throw .wrongKind(name, expected: .boolean)
        }
    }

    public func integers(_ name: ParameterName) throws(LayerError) -> [Int]? {
        switch self.values[name] {
        case nil: nil
        case .integers(let list): list
        case .integer(let number): [number]
        default: throw .wrongKind(name, expected: .integers)
        }
    }

    /// A number, or one of some words in place of one.
    func realOrWord(_ name: ParameterName, _ words: [String]) throws(LayerError) -> RealOrWord? {
        switch self.values[name] {
        case nil: return nil
        case .real(let number): return .real(number)
        case .integer(let number): return .real(Double(number))
        case .text(let word):
            guard words.contains(word) else { throw .unknownChoice(name, word, allowed: words) }
            return .word(word)
        default: throw .wrongKind(name, expected: .realOrWord(words))
        }
    }

    /// An integer, or nothing: ask where absence has a default that is not null.
    func integerOrNull(_ name: ParameterName) throws(LayerError) -> Int? {
        switch self.values[name] {
        case nil, .null: nil
        case .integer(let number): number
        default: throw .wrongKind(name, expected: .integerOrNull)
        }
    }

    /// A number, which may stand in a tensor of one element.
    func realOrElement(_ name: ParameterName) throws(LayerError) -> Double? {
        switch self.values[name] {
        case nil: return nil
        case .real(let number): return number
        case .integer(let number): return Double(number)
        case .tensor(let tensor): return try Parameter(name: name, tensor: tensor).onlyElement()
        default: throw .wrongKind(name, expected: .realOrTensor)
        }
    }

    /// One of the words of a closed vocabulary.
    func choice<Word: CaseIterable & RawRepresentable<String>>(
        _ name: ParameterName,
        of type: Word.Type
    ) throws(LayerError) -> Word? {
        let words = Word.allCases.map(\.rawValue)
        switch self.values[name] {
        case nil: return nil
        case .text(let text):
            guard let word = Word(rawValue: text) else { throw .unknownChoice(name, text, allowed: words) }
            return word
        default: throw .wrongKind(name, expected: .choice(words))
        }
    }
}
