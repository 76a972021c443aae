import Glibc
import Normalization

extension LayerDirectory {
    /// What is in the directory.
    struct Contents {
        var layers: [LayerName: [LayerVersion: PreparedLayer]] = [:]

        /// The highest number that is taken, by a layer or by what is left of one.
        var lastVersions: [LayerName: LayerVersion] = [:]

        var faults: [LayerFault] = []
    }

    /// Reads all that is there. What is damaged stops nothing else.
    ///
    /// - Parameter elementLimit: how many elements a tensor may have.
    func contents(elementLimit: Int) throws(FileError) -> Contents {
        try self.lock()
        defer { self.unlock() }
        var contents = Contents()
        // What begins with a dot is the operator's or the file system's.
        for entry in try self.root.names() where !entry.hasPrefix(".") {
            guard let name = LayerName(entry) else {
                contents.faults.append(LayerFault(layer: entry, reason: "this is no name of a layer"))
                continue
            }
            do throws(FileError) {
                let directory = try OpenFile(directory: entry, in: self.root.descriptor)
                try? Self.tidy(directory)
                try Self.read(name, in: directory, elementLimit: elementLimit, into: &contents)
            } catch {
                contents.faults.append(LayerFault(layer: entry, reason: Self.reason(error)))
            }
        }
        return contents
    }

    private static func read(
        _ name: LayerName,
        in directory: borrowing OpenFile,
        elementLimit: Int,
        into contents: inout Contents
    ) throws(FileError) {
        for entry in try directory.names() where !entry.hasPrefix(".") {
            guard let version = LayerVersion(entry) else {
                contents.faults.append(LayerFault(layer: name.text, version: entry, reason: "this is no version"))
                continue
            }
            contents.lastVersions[name] = max(version, contents.lastVersions[name] ?? version)
            do throws(LayerFileError) {
                guard let layer = try self.layer(version, in: directory, elementLimit: elementLimit) else { continue }
                contents.layers[name, default: [:]][version] = layer
            } catch {
                let reason = if case .system(let error) = error { Self.reason(error) } else { error.description }
                contents.faults.append(LayerFault(layer: name.text, version: entry, reason: reason))
            }
        }
    }

    /// - Returns: `nil` for a version that is not there any more, or never came to be.
    private static func layer(
        _ version: LayerVersion,
        in directory: borrowing OpenFile,
        elementLimit: Int
    ) throws(LayerFileError) -> PreparedLayer? {
        let file: OpenFile
        do throws(FileError) {
            let place = try OpenFile(directory: version.description, in: directory.descriptor)
            file = try OpenFile(self.fileName, in: place.descriptor, flags: O_RDONLY)
        } catch {
            guard error.number != ENOENT else { return nil }
            throw .system(error)
        }
        let definition = try LayerFile.definition(in: try SafetensorsFile(file), elementLimit: elementLimit)
        do throws(LayerError) {
            return try PreparedLayer(definition)
        } catch {
            throw .layer(error)
        }
    }

    private static func reason(_ error: FileError) -> String {
        switch error.number {
        case ELOOP, ENOTDIR: "it is a symbolic link or no directory"
        default: error.description
        }
    }
}
