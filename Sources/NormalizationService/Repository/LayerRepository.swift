import Synchronization

/// The layers that requests call by their names.
///
/// Looking one up takes a lock for the time of a look into a dictionary, and for no longer: whatever takes its time is
/// done before, and nothing is written to disk under that lock.
public final class LayerRepository: Sendable {
    private let state = Mutex(State())

    private struct State {
        var layers: [LayerName: LayerVersions] = [:]

        /// The highest number that each name ever had, removed ones included: no number is given twice.
        var lastVersions: [LayerName: LayerVersion] = [:]

        mutating func nextVersion(of name: LayerName) -> LayerVersion {
            let version = self.lastVersions[name]?.next ?? .first
            self.lastVersions[name] = version
            return version
        }
    }

    public init() {}

    /// All versions of a layer; `nil` if there is none of the name.
    func versions(of name: LayerName) -> LayerVersions? {
        self.state.withLock { $0.layers[name] }
    }

    /// All layers, by name.
    func all() -> [LayerVersions] {
        self.state.withLock { $0.layers }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Makes a new version of a layer, the first if there is none of the name.
    func register(_ layer: PreparedLayer, as name: LayerName) throws(LayerRepositoryError) -> RegisteredLayer {
        try self.checkWritable(name)
        let version = self.state.withLock { $0.nextVersion(of: name) }
        let registered = RegisteredLayer(name, version, layer)
        self.state.withLock { $0.layers[name] = $0.layers[name]?.adding(registered) ?? LayerVersions(registered) }
        return registered
    }

    /// Removes a version of a layer, or all of them. Requests that have the layer already keep it.
    func remove(_ name: LayerName, version: LayerVersion? = nil) throws(LayerRepositoryError) {
        try self.checkWritable(name)
        self.state.withLock { state in
            state.layers[name] = version.flatMap { state.layers[name]?.removing($0) }
        }
    }

    private func checkWritable(_ name: LayerName) throws(LayerRepositoryError) {
        guard self.versions(of: name)?.latest.isReadOnly != true else { throw .readOnly }
    }
}
