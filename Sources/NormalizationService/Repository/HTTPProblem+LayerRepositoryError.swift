import HTTPCore

extension HTTPProblem {
    /// What the administrator is told of a layer that cannot be registered or removed.
    init(_ error: LayerRepositoryError) {
        switch error {
        case .readOnly:
            self.init(.readOnlyLayer, "the layer comes from a checkpoint and cannot be changed")
        }
    }
}
