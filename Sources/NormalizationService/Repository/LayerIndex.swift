/// What a repository knows of its layers.
struct LayerIndex {
    var layers: [LayerName: LayerVersions] = [:]

    /// The highest number that each name ever had, removed ones included: no number is given twice.
    var lastVersions: [LayerName: LayerVersion] = [:]

    mutating func add(_ layer: RegisteredLayer) {
        self.layers[layer.name] = self.layers[layer.name]?.adding(layer) ?? LayerVersions(layer)
        self.raiseLastVersion(of: layer.name, to: layer.version)
    }

    mutating func raiseLastVersion(of name: LayerName, to version: LayerVersion) {
        self.lastVersions[name] = max(version, self.lastVersions[name] ?? version)
    }
}

extension LayerIndex {
    /// Puts what was found in a directory in the place of what is here; returns what is not used.
    mutating func take(_ contents: LayerDirectory.Contents) -> [LayerFault] {
        var faults = contents.faults
        let damaged = Set(contents.faults.map { [$0.layer, $0.version] })
        for (name, last) in contents.lastVersions {
            self.raiseLastVersion(of: name, to: last)
        }
        var layers = self.layers.filter { $0.value.latest.isReadOnly }
        for (name, versions) in contents.layers {
            guard layers[name] == nil else {
                faults.append(LayerFault(layer: name.text, reason: "a layer of a checkpoint has this name"))
                continue
            }
            let old = self.layers[name].map { known in
                Dictionary(uniqueKeysWithValues: known.layers.map { ($0.version, $0.statistics) })
            }
            layers[name] = LayerVersions(
                versions.map { (version, layer) in
                    let statistics = old?[version] ?? ModelStatistics()
                    return RegisteredLayer(name, version, layer, statistics: statistics)
                }
            )
        }
        for old in self.layers.values.flatMap(\.layers) where !old.isReadOnly {
            if damaged.contains([old.name.text, old.version.description]) || damaged.contains([old.name.text, nil]) {
                layers[old.name] = layers[old.name]?.adding(old) ?? LayerVersions(old)
            }
        }
        self.layers = layers
        return faults
    }
}
