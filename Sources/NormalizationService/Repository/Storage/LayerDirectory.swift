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
        try self.lock()
        defer { self.unlock() }
        guard mkdirat(self.root.descriptor, name.text, 0o755) == 0 || errno == EEXIST else { throw .last }
        do throws(FileError) {
            let directory = try OpenFile(directory: name.text, in: self.root.descriptor)
            let highest = try directory.names().compactMap { LayerVersion($0) }.max()
            if highest == nil {
                // Even if the directory is there: who made it may have ended before this.
                try self.root.sync()
            }
            return try Self.write(contents, in: directory, after: [last, highest].compactMap { $0 }.max())
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
        var version = last?.next ?? .first
        while mkdirat(directory.descriptor, version.description, 0o755) != 0 {
            guard errno == EEXIST else { throw .last }
            version = version.next
        }
        do throws(FileError) {
            // Somebody made a directory of the last number; one that nobody can ask for is no version.
            guard LayerVersion(version.description) != nil else { throw FileError(number: EOVERFLOW) }
            let place = try OpenFile(directory: version.description, in: directory.descriptor)
            try Self.write(contents, in: place)
            try directory.sync()
        } catch {
            try? Self.removeFiles([Self.fileName, Self.temporaryName], of: version, in: directory)
            unlinkat(directory.descriptor, version.description, AT_REMOVEDIR)
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

    /// Removes a version, or all of them; what is not there is gone already. The directory of the highest number stays,
    /// so that the number is not given again, and what is not this server's stays, too.
    func remove(_ name: LayerName, _ version: LayerVersion?) throws(FileError) {
        try self.lock()
        defer { self.unlock() }
        do throws(FileError) {
            let directory = try OpenFile(directory: name.text, in: self.root.descriptor)
            let versions = if let version { [version] } else { try directory.names().compactMap { LayerVersion($0) } }
            for version in versions {
                try Self.removeFiles([Self.fileName], of: version, in: directory)
            }
            try Self.tidy(directory)
        } catch {
            guard error.number == ENOENT else { throw error }
        }
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
        let place: OpenFile
        do throws(FileError) {
            place = try OpenFile(directory: version.description, in: directory.descriptor)
        } catch {
            // It went, or is no directory of this server's.
            guard [ENOENT, ENOTDIR, ELOOP].contains(error.number) else { throw error }
            return
        }
        var isChanged = false
        for name in names {
            guard unlinkat(place.descriptor, name, 0) == 0 else {
                guard errno == ENOENT else { throw .last }
                continue
            }
            isChanged = true
        }
        if isChanged {
            try place.sync()
        }
    }

    /// Keeps other servers from writing or removing anything here; waits two seconds for one that is at it.
    func lock() throws(FileError) {
        var attempts = 0
        while flock(self.root.descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK:
                attempts += 1
                guard attempts < 200 else { throw .last }
                usleep(10_000)
            // Some file systems know no locks; there, only one server should write.
            default: return
            }
        }
    }

    func unlock() {
        flock(self.root.descriptor, LOCK_UN)
    }
}
