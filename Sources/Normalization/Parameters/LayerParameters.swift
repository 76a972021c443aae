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
            (.integers, .integers), (.integers, .integer):
            break
        case (.choice(let words), .text(let word)):
            guard words.contains(word) else { throw .unknownChoice(specification.name, word, allowed: words) }
        default:
            throw .wrongKind(specification.name, expected: specification.kind)
        }
    }
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
