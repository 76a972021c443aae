/// What the modules of a checkpoint tell of each other.
struct CheckpointSurroundings {
    /// The modules that have a convolution among their children: where `norm1` may be any kind of norm.
    private let convolutionalParents: Set<[UInt8]>

    init(_ groups: [CheckpointGroup]) {
        let convolutions = groups.filter { $0.tensors["weight"]?.shape.rank ?? 0 > 2 }
        self.convolutionalParents = Set(convolutions.map { Array($0.parent.utf8) })
    }

    func hasConvolutions(beside group: CheckpointGroup) -> Bool {
        self.convolutionalParents.contains(Array(group.parent.utf8))
    }
}
