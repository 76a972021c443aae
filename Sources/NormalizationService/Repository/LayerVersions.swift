/// All versions of the layers of one name; at least one.
struct LayerVersions: Sendable {
    /// By ascending version.
    private(set) var layers: [RegisteredLayer]

    /// The one with the highest version.
    private(set) var latest: RegisteredLayer

    init(_ layer: RegisteredLayer) {
        self.layers = [layer]
        self.latest = layer
    }

    /// - Returns: `nil` for no layers.
    init?(_ layers: [RegisteredLayer]) {
        self.layers = layers.sorted { $0.version < $1.version }
        guard let latest = self.layers.last else { return nil }
        self.latest = latest
    }

    subscript(version: LayerVersion) -> RegisteredLayer? {
        self.layers.first { $0.version == version }
    }

    /// With one more version.
    func adding(_ layer: RegisteredLayer) -> Self {
        Self(self.layers + [layer]) ?? Self(layer)
    }

    /// - Returns: `nil` where no version is left.
    func removing(_ version: LayerVersion) -> Self? {
        Self(self.layers.filter { $0.version != version })
    }
}
