import HTTPCore

extension HTTPProblem {
    /// What the administrator is told of a layer that cannot be registered or removed.
    init(_ error: LayerRepositoryError) {
        switch error {
        case .readOnly:
            self.init(.readOnlyLayer, "the layer comes from a checkpoint and cannot be changed")
        case .full:
            self.init(.storageFull, "there is no room to store the layer; nothing was changed")
        case .busy:
            self.init(.storageBusy, "another process is changing the directory of layers; nothing was changed")
        case .storage(let error):
            self.init(.storageFailed, "the layer cannot be stored or removed: \(error)")
        }
    }
}
