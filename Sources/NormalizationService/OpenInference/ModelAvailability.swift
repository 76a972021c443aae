import Synchronization

/// Which models were unloaded and not loaded again.
final class ModelAvailability: Sendable {
    /// The latest version of a model that was there when it was unloaded: those that came later are ready, and numbers
    /// are never used again.
    private let unloaded = Mutex<[LayerName: LayerVersion]>([:])

    /// Whether a version answers requests to infer.
    func isReady(_ layer: RegisteredLayer) -> Bool {
        self.unloaded.withLock { unloaded in
            unloaded[layer.name].map { $0 < layer.version } ?? true
        }
    }

    func load(_ name: LayerName) {
        _ = self.unloaded.withLock { $0.removeValue(forKey: name) }
    }

    /// - Parameter repository: those whose layers are gone are forgotten.
    func unload(_ layer: RegisteredLayer, in repository: LayerRepository) {
        self.unloaded.withLock { unloaded in
            unloaded[layer.name] = layer.version
        }
        let names = self.unloaded.withLock { Array($0.keys) }
        for name in names where repository.versions(of: name) == nil {
            self.load(name)
        }
    }
}
