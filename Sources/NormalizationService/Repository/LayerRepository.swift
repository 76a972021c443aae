import Synchronization

/// The layers that requests call by their names.
///
/// Looking one up takes a lock for the time of a look into a dictionary, and for no longer: whatever takes its time is
/// done before, under a lock of its own.
public final class LayerRepository: Sendable {
    private let state = Mutex(LayerIndex())

    /// Held by who changes the repository, from the first look to the last. The directory is `nil` where layers live in
    /// memory only.
    private let store: Mutex<Store>

    private struct Store: ~Copyable {
        var directory: LayerDirectory?
    }

    /// A repository whose layers live as long as the process.
    public init() {
        self.store = Mutex(Store(directory: nil))
    }

    /// A repository whose layers are those of a directory. None is loaded yet.
    public init(directory path: String) throws(LayerRepositoryFailure) {
        do throws(FileError) {
            self.store = Mutex(Store(directory: try LayerDirectory(path: path)))
        } catch {
            throw LayerRepositoryFailure(description: error.description)
        }
    }

    /// All versions of a layer; `nil` if there is none of the name.
    func versions(of name: LayerName) -> LayerVersions? {
        self.state.withLock { $0.layers[name] }
    }

    /// All layers, by name.
    func all() -> [LayerVersions] {
        self.state.withLock { $0.layers }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// How many layers there are, versions not counted.
    public var count: Int { self.state.withLock { $0.layers.count } }

    /// Makes a new version of a layer, the first if there is none of the name. It is stored before anybody sees it.
    func register(_ layer: PreparedLayer, as name: LayerName) throws(LayerRepositoryError) -> RegisteredLayer {
        try self.store.withLock { (store) throws(LayerRepositoryError) in
            try self.checkWritable(name)
            let last = self.state.withLock { $0.lastVersions[name] }
            var version = last?.next ?? .first
            do throws(FileError) {
                let contents = LayerFile.contents(of: layer.definition)
                version = try store.directory?.write(contents, as: name, after: last) ?? version
            } catch {
                throw LayerRepositoryError(error)
            }
            let registered = RegisteredLayer(name, version, layer)
            self.state.withLock { $0.add(registered) }
            return registered
        }
    }

    /// Removes a version of a layer, or all of them. Requests that have the layer already keep it.
    func remove(_ name: LayerName, version: LayerVersion? = nil) throws(LayerRepositoryError) {
        try self.store.withLock { (store) throws(LayerRepositoryError) in
            try self.checkWritable(name)
            do throws(FileError) {
                try store.directory?.remove(name, version)
            } catch {
                throw LayerRepositoryError(error)
            }
            self.state.withLock { state in
                state.layers[name] = version.flatMap { state.layers[name]?.removing($0) }
            }
        }
    }

    /// Reads the directory again, if there is one: versions that came are there from now on, those that went are gone.
    /// One that was good and is not any more stays as it was.
    ///
    /// - Parameter elementLimit: how many elements a tensor may have.
    /// - Returns: what is not used.
    public func reload(elementLimit: Int) throws(LayerRepositoryFailure) -> [LayerFault] {
        try self.store.withLock { (store) throws(LayerRepositoryFailure) in
            let contents: LayerDirectory.Contents
            do throws(FileError) {
                guard let found = try store.directory?.contents(elementLimit: elementLimit) else { return [] }
                contents = found
            } catch {
                throw LayerRepositoryFailure(description: error.description)
            }
            return self.state.withLock { $0.take(contents) }
        }
    }

    /// Registers a layer that cannot be changed.
    ///
    /// - Returns: why it is not used, if the name is taken.
    func addReadOnly(_ layer: PreparedLayer, as name: LayerName) -> LayerFault? {
        self.state.withLock { state in
            guard state.layers[name] == nil else {
                return LayerFault(layer: name.text, reason: "there is another layer of this name")
            }
            state.add(RegisteredLayer(name, .first, layer, isReadOnly: true))
            return nil
        }
    }

    private func checkWritable(_ name: LayerName) throws(LayerRepositoryError) {
        guard self.versions(of: name)?.latest.isReadOnly != true else { throw .readOnly }
    }
}
