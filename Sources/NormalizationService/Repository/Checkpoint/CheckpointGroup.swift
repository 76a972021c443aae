import TensorFormats

/// The tensors of a checkpoint that share a key prefix, which is the name of the module that they belong to.
struct CheckpointGroup {
    let name: String

    /// By what stands behind the last dot, in the words of torch: `gamma` is `weight`, `beta` is `bias`.
    private(set) var tensors: [String: SafetensorsEntry] = [:]

    /// Whether two of its tensors have the same meaning.
    private(set) var isContradictory = false

    /// Counts batches in training, and takes no part in normalizing.
    private static let ignoredLeaf = "num_batches_tracked"

    init(name: String) {
        self.name = name
    }

    mutating func add(_ entry: SafetensorsEntry, leaf: String) {
        guard leaf != Self.ignoredLeaf else { return }
        // As the first BERT had it, and TensorFlow.
        let word = ["gamma": "weight", "beta": "bias"][leaf] ?? leaf
        self.isContradictory = self.isContradictory || self.tensors[word] != nil
        self.tensors[word] = entry
    }

    /// The groups of a checkpoint, by name.
    static func all(of entries: [SafetensorsEntry]) -> [CheckpointGroup] {
        // By bytes, as any text may be a name: hashing `String`s of many combining marks takes quadratic time.
        var groups: [[UInt8]: CheckpointGroup] = [:]
        for entry in entries {
            let key = Array(entry.name.utf8)
            let dot = key.lastIndex(of: UInt8(ascii: "."))
            let prefix = Array(dot.map { key[..<$0] } ?? [])
            let leaf = String(decoding: dot.map { key[($0 + 1)...] } ?? key[...], as: UTF8.self)
            groups[prefix, default: CheckpointGroup(name: String(decoding: prefix, as: UTF8.self))]
                .add(entry, leaf: leaf)
        }
        return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    /// The module that this one is a part of.
    var parent: Substring {
        self.name.utf8.lastIndex(of: UInt8(ascii: ".")).map { self.name[..<$0] } ?? ""
    }

    /// What the module is called within its parent, in lower case.
    var ownName: String {
        let start = self.name.utf8.lastIndex(of: UInt8(ascii: ".")).map { self.name.utf8.index(after: $0) }
        return self.name[(start ?? self.name.startIndex)...].lowercased()
    }

    func hasOnly(_ leaves: Set<String>) -> Bool { leaves.isSuperset(of: self.tensors.keys) }
}
