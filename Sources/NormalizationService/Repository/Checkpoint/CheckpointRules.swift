import HTTPCore
import Normalization
import TensorFormats

/// What the operator says of layers in a checkpoint that their names and shapes do not tell.
///
/// `{"rules": [{"pattern": "*.gn?", "type": "group_norm", "num_groups": 8}, {"pattern": "*", "eps": 1e-12}]}`. The first
/// rule whose pattern matches a layer's name applies; `*` stands for any text and `?` for any character. `type` and
/// `"skip": true` are optional; all other members are parameters.
public struct CheckpointRules: Sendable {
    struct Rule: Sendable {
        let pattern: String

        /// `nil` where the type is left to the name.
        var type: LayerType?

        /// Whether the layer is left out.
        var isSkipped = false

        /// Parameters by their names; none is a tensor. Those that the layer's type does not know do not apply, where
        /// the rule names no type.
        var values: [ParameterName: ParameterValue] = [:]
    }

    let rules: [Rule]

    public static let none = Self(rules: [])

    private init(rules: [Rule]) {
        self.rules = rules
    }

    /// Reads the content of a rules file.
    public init(file: [UInt8]) throws(LayerRepositoryFailure) {
        do throws(TensorFormatError) {
            self.rules = try file.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
                try Self.read(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw LayerRepositoryFailure(description: error.description)
        }
        for rule in self.rules {
            try rule.check()
        }
    }

    private static func read(_ text: UnsafeRawBufferPointer) throws(TensorFormatError) -> [Rule] {
        var reader = try JSONReader(text)
        var rules: [Rule]?
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            guard key == "rules" else { throw reader.unknownMember(key) }
            var list: [Rule] = []
            try reader.readArray { (reader) throws(TensorFormatError) in list.append(try Rule(&reader)) }
            rules = list
        }
        try reader.finish()
        guard let rules else { throw .missingMember(name: "rules", pointer: "", offset: 0) }
        return rules
    }

    /// The first rule that applies to a layer of this name, and which of the rules it is.
    func rule(for name: String) -> (rule: Rule, index: Int)? {
        for (index, rule) in self.rules.enumerated() where Glob.matches(name, rule.pattern) {
            return (rule, index)
        }
        return nil
    }
}

extension CheckpointRules.Rule {
    fileprivate init(_ reader: inout JSONReader) throws(TensorFormatError) {
        let start = reader
        var pattern: String?
        var type: LayerType?
        var isSkipped = false
        var values: [ParameterName: ParameterValue] = [:]
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "pattern": pattern = try reader.readString()
            case "type":
                let names = LayerType.all.map(\.name)
                type = LayerType.named(try reader.readChoice(names))
            case "skip": isSkipped = try reader.readBoolean()
            default:
                let name = ParameterName(rawValue: key)
                // A parameter has one kind, whatever the type.
                guard let kind = LayerType.all.lazy.compactMap({ $0[name] }).first?.kind, kind != .tensor,
                    case .plain(let value) = try LayerDocument.readValue(kind, &reader)
                else { throw reader.unknownMember(key) }
                values[name] = value
            }
        }
        guard let pattern else {
            throw .missingMember(name: "pattern", pointer: start.pointer, offset: start.offset)
        }
        self.init(pattern: pattern, type: type, isSkipped: isSkipped, values: values)
    }

    fileprivate func check() throws(LayerRepositoryFailure) {
        guard let type else { return }
        for name in self.values.keys where type[name] == nil {
            throw LayerRepositoryFailure(
                description: "the rule for '\(self.pattern.asWord)' has \(name), which \(type.name) does not know"
            )
        }
    }
}
