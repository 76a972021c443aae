import Glibc

/// A file that an option names: keys, certificates.
enum OperatorFile {
    /// No list of keys and no certificate chain is longer, in bytes.
    private static let maximumSize = 1 << 20

    /// Reads all of it; a secret only if nobody but its owner and group has any right to it.
    ///
    /// It is opened once, and what is open is judged: what its name stands for may change meanwhile. Symbolic links are
    /// followed, as Kubernetes mounts secrets through them.
    static func read(_ path: String, isSecret: Bool) throws(OperatorFileError) -> [UInt8] {
        // A pipe that nobody writes to must not hold up the start.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw .unreadable(errorNumber: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(errorNumber: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile }
        guard !isSecret || status.st_mode & 0o007 == 0 else { throw .openToOthers(mode: status.st_mode & 0o7777) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count != 0 else { return content }
            guard count > 0 || errno == EINTR else { throw .unreadable(errorNumber: errno) }
            content += chunk.prefix(max(count, 0))
            guard content.count <= Self.maximumSize else { throw .tooLarge }
        }
    }
}

/// Why a file is not read; worded to follow the name of the file.
enum OperatorFileError: Error, Equatable {
    case unreadable(errorNumber: Int32)
    case notARegularFile
    /// Somebody who is neither the owner nor of the group has a right to it.
    case openToOthers(mode: mode_t)
    case tooLarge
}

extension OperatorFileError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreadable(let errorNumber): "cannot be read: \(String(cString: strerror(errorNumber)))"
        case .notARegularFile: "is not a regular file"
        case .openToOthers(let mode):
            "is open to others: its mode is 0\(String(mode, radix: 8)); take their rights away with chmod o-rwx"
        case .tooLarge: "is larger than 1MiB"
        }
    }
}

extension StartUpError {
    /// Reads the file that `option` names, or says what is wrong with it.
    static func reading(_ path: String, of option: String, isSecret: Bool) throws(StartUpError) -> [UInt8] {
        do throws(OperatorFileError) {
            return try OperatorFile.read(path, isSecret: isSecret)
        } catch {
            throw StartUpError(description: "\(option) \(path) \(error)")
        }
    }
}
