/// What the modules of a checkpoint tell of each other.
struct CheckpointSurroundings {
    /// The modules that have a convolution among their children: where `norm1` may be any kind of norm.
    private let convolutionalParents: Set<[UInt8]>

    /// The modules that are blocks of a transformer like Llama: both of their norms have no bias. Of the libraries'
    /// models that name their norms so, those with layer norms have either a bias or but one of the two.
    private let llamaBlocks: Set<[UInt8]>

    /// The modules that such blocks are a list in: `model`, for `model.layers.0`.
    private let llamaRoots: Set<[UInt8]>

    private static let llamaNorms = [
        ["input_layernorm", "post_attention_layernorm"], ["attention_norm", "ffn_norm"],
    ]

    init(_ groups: [CheckpointGroup]) {
        var convolutional: Set<[UInt8]> = []
        var norms: [[UInt8]: Set<String>] = [:]
        for group in groups {
            let parent = Array(group.parent.utf8)
            if group.tensors["weight"]?.shape.rank ?? 0 > 2 {
                convolutional.insert(parent)
            }
            let ownName = group.ownName
            if Self.llamaNorms.joined().contains(ownName), group.tensors["bias"] == nil {
                norms[parent, default: []].insert(ownName)
            }
        }
        let blocks = norms.filter { found in Self.llamaNorms.contains { found.value.isSuperset(of: $0) } }.keys
        self.convolutionalParents = convolutional
        self.llamaBlocks = Set(blocks)
        self.llamaRoots = Set(blocks.map { Self.dropLastPart(Self.dropLastPart($0[...])) }.map(Array.init))
    }

    func hasConvolutions(beside group: CheckpointGroup) -> Bool {
        self.convolutionalParents.contains(Array(group.parent.utf8))
    }

    /// Whether a module that has a weight and nothing else is an RMS norm for where it stands.
    func makesRMSNorm(of group: CheckpointGroup) -> Bool {
        let parent = Array(group.parent.utf8)
        if self.llamaBlocks.contains(parent), Self.llamaNorms.joined().contains(group.ownName) { return true }
        return group.ownName == "norm" && self.llamaRoots.contains(parent)
    }

    private static func dropLastPart(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        name.lastIndex(of: UInt8(ascii: ".")).map { name[..<$0] } ?? []
    }
}
