import Glibc
import TensorFormats
import Tensors

/// The directory of the registered layers: `{name}/{version}/layer.safetensors` (API section 6).
///
/// A version's directory is made before its file, and only by whom it is free for: that takes the number, also among
/// several servers. The file is written under another name, synced and renamed, so that it is there whole or not at all.
/// One writer at a time; the lock on the directory ends with the process that holds it.
struct LayerDirectory: ~Copyable {
    static let fileName = "layer.safetensors"
    private static let temporaryName = ".layer.safetensors.part"

    let root: OpenFile

    init(path: String) throws(FileError) {
        self.root = try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY)
    }

    /// Writes a version with a number that no other has, nor had as far as is known; returns when it is on the medium.
    ///
    /// - Parameter last: the highest number that the caller knows of.
    func write(
        _ contents: SafetensorsWriter,
        as name: LayerName,
        after last: LayerVersion?
    ) throws(FileError) -> LayerVersion {
        self.lock()
        defer { self.unlock() }
        let isNew = mkdirat(self.root.descriptor, name.text, 0o755) == 0
        guard isNew || errno == EEXIST else { throw .last }
        do throws(FileError) {
            if isNew {
                try self.root.sync()
            }
            let directory = try OpenFile(directory: name.text, in: self.root.descriptor)
            return try Self.write(contents, in: directory, after: last)
        } catch {
            // Only if it is empty.
            unlinkat(self.root.descriptor, name.text, AT_REMOVEDIR)
            throw error
        }
    }

    private static func write(
        _ contents: SafetensorsWriter,
        in directory: borrowing OpenFile,
        after last: LayerVersion?
    ) throws(FileError) -> LayerVersion {
        let highest = try directory.names().compactMap { LayerVersion($0) }.max()
        var version = max(last?.next ?? .first, highest?.next ?? .first)
        while mkdirat(directory.descriptor, version.description, 0o755) != 0 {
            guard errno == EEXIST else { throw .last }
            version = version.next
        }
        do throws(FileError) {
            let place = try OpenFile(directory: version.description, in: directory.descriptor)
            try Self.write(contents, in: place)
            try directory.sync()
        } catch {
            Self.removeVersion(version, in: directory)
            throw error
        }
        return version
    }

    private static func write(_ contents: SafetensorsWriter, in place: borrowing OpenFile) throws(FileError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL
        let file = try OpenFile(self.temporaryName, in: place.descriptor, flags: flags)
        try contents.header.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try file.write(UnsafeRawBufferPointer(bytes))
        }
        for tensor in contents.tensors {
            try file.write(UnsafeRawBufferPointer(tensor.bytes))
        }
        try file.sync()
        guard renameat(place.descriptor, self.temporaryName, place.descriptor, self.fileName) == 0 else {
            throw .last
        }
        try place.sync()
    }

    /// Removes a version. The directory of the highest number stays, so that the number is not given again.
    func remove(_ name: LayerName, _ version: LayerVersion) throws(FileError) {
        self.lock()
        defer { self.unlock() }
        let directory = try OpenFile(directory: name.text, in: self.root.descriptor)
        let place = try OpenFile(directory: version.description, in: directory.descriptor)
        guard unlinkat(place.descriptor, Self.fileName, 0) == 0 || errno == ENOENT else { throw .last }
        try place.sync()
        try Self.tidy(directory)
    }

    /// Removes a layer with all its versions; what is not this server's stays.
    func remove(_ name: LayerName) throws(FileError) {
        self.lock()
        defer { self.unlock() }
        let directory = try OpenFile(directory: name.text, in: self.root.descriptor)
        for version in try directory.names().compactMap({ LayerVersion($0) }).sorted() {
            Self.removeVersion(version, in: directory)
        }
        try directory.sync()
        guard
            unlinkat(self.root.descriptor, name.text, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY || errno == EEXIST
        else { throw .last }
        try self.root.sync()
    }

    /// Removes what a version may consist of, as far as that is possible.
    private static func removeVersion(_ version: LayerVersion, in directory: borrowing OpenFile) {
        try? self.removeFiles([self.fileName, self.temporaryName], of: version, in: directory)
        unlinkat(directory.descriptor, version.description, AT_REMOVEDIR)
    }

    /// Removes what writers left that were ended at work, and the empty directories of versions that are gone; but that
    /// of the highest number.
    static func tidy(_ directory: borrowing OpenFile) throws(FileError) {
        let versions = try directory.names().compactMap { LayerVersion($0) }.sorted()
        for version in versions {
            try? self.removeFiles([self.temporaryName], of: version, in: directory)
            if version != versions.last {
                // Only if it is empty.
                unlinkat(directory.descriptor, version.description, AT_REMOVEDIR)
            }
        }
        try directory.sync()
    }

    private static func removeFiles(
        _ names: [String],
        of version: LayerVersion,
        in directory: borrowing OpenFile
    ) throws(FileError) {
        let place = try OpenFile(directory: version.description, in: directory.descriptor)
        for name in names {
            unlinkat(place.descriptor, name, 0)
        }
    }

    /// Keeps other servers from writing or removing anything here.
    func lock() {
        while flock(self.root.descriptor, LOCK_EX) != 0 {
            // Some file systems know no locks; there, only one server should write.
            guard errno == EINTR else { return }
        }
    }

    func unlock() {
        flock(self.root.descriptor, LOCK_UN)
    }
}
