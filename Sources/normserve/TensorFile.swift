import AlignedMemory
import Glibc
import HTTPCore

/// A whole file in memory, and how one is written.
struct TensorFile {
    let buffer: AlignedBuffer
    let range: Range<Int>

    /// What stands for standard input and output.
    static let standardStream = "-"

    /// What a file grows by where its size is not known, in bytes.
    private static let chunkSize = 1 << 20

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(self.buffer[self.range]) }

    /// A copy of `bytes`.
    init(_ bytes: [UInt8]) throws(FileFailure) {
        self.buffer = try Self.allocate(bytes.count)
        self.range = 0..<bytes.count
        self.buffer[self.range].copyBytes(from: bytes)
    }

    private init(buffer: AlignedBuffer, count: Int) {
        self.buffer = buffer
        self.range = 0..<count
    }

    /// Reads all of a file, or of standard input.
    static func read(_ name: String) throws(FileFailure) -> TensorFile {
        let isStandard = name == Self.standardStream
        let descriptor = isStandard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw .cannotOpen(name, errorNumber: errno) }
        defer { if !isStandard { close(descriptor) } }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(name, errorNumber: errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .cannotOpen(name, errorNumber: EISDIR) }
        // A file may grow meanwhile; a pipe has no size.
        let expected = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
        let buffer = try Self.allocate(min(expected, .max - 1) + 1)
        var count = 0
        while true {
            if count == buffer.capacity {
                try Self.grow(buffer, to: count + max(count, Self.chunkSize))
            }
            let room = buffer[count..<buffer.capacity]
            let received = Glibc.read(descriptor, room.baseAddress, room.count)
            guard received != 0 else { return TensorFile(buffer: buffer, count: count) }
            guard received > 0 || errno == EINTR else { throw .cannotRead(name, errorNumber: errno) }
            count += max(received, 0)
        }
    }

    /// Writes a file from pieces: as a whole, so that nobody ever sees a part of it, and what was there before stays if
    /// anything fails. What is no regular file, a pipe or a terminal, is written to as it is.
    static func write(_ pieces: [HTTPBodyPart], to name: String) throws(FileFailure) {
        guard name != Self.standardStream else { return try Self.write(pieces, STDOUT_FILENO, "standard output") }
        if Self.isStream(name) {
            let descriptor = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw .cannotWrite(name, errorNumber: errno) }
            defer { close(descriptor) }
            return try Self.write(pieces, descriptor, name)
        }
        try Self.replace(Self.resolved(name), with: pieces, named: name)
    }

    /// Whether the name is that of a pipe or a device, which is written to and not replaced.
    static func isStream(_ name: String) -> Bool {
        var status = stat()
        return stat(name, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    }

    /// Writes a new file beside `path`, then gives it that name.
    private static func replace(
        _ path: String,
        with pieces: [HTTPBodyPart],
        named name: String
    ) throws(FileFailure) {
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .cannotWrite(name, errorNumber: errno) }
        var isWhole = false
        defer {
            close(descriptor)
            if !isWhole { unlink(template) }
        }
        // mkstemp lets nobody but the owner read it.
        let mask = umask(0)
        _ = umask(mask)
        _ = fchmod(descriptor, 0o666 & ~mask)
        try Self.write(pieces, descriptor, name)
        // Some file systems say only now that there was no room.
        guard fsync(descriptor) == 0, rename(template, path) == 0 else {
            throw .cannotWrite(name, errorNumber: errno)
        }
        isWhole = true
    }

    /// The file that a symbolic link leads to, which is to be replaced, not the link; the name itself where it is none.
    private static func resolved(_ name: String) -> String {
        guard let path = realpath(name, nil) else { return name }
        defer { free(path) }
        return String(cString: path)
    }

    private static func write(
        _ pieces: [HTTPBodyPart],
        _ descriptor: Int32,
        _ name: String
    ) throws(FileFailure) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes):
                let errorNumber = bytes.withUnsafeBytes { Self.write($0, descriptor) }
                guard errorNumber == 0 else { throw .cannotWrite(name, errorNumber: errorNumber) }
            case .buffer(let buffer, let range):
                let errorNumber = Self.write(UnsafeRawBufferPointer(buffer[range]), descriptor)
                guard errorNumber == 0 else { throw .cannotWrite(name, errorNumber: errorNumber) }
            }
        }
    }

    /// Writes all of the bytes; returns what kept it from that, or 0.
    private static func write(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32) -> Int32 {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            guard count >= 0 || errno == EINTR else { return errno }
            written += max(count, 0)
        }
        return 0
    }

    private static func allocate(_ count: Int) throws(FileFailure) -> AlignedBuffer {
        do throws(AllocationError) {
            return try AlignedBuffer(capacity: count)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
    }

    private static func grow(_ buffer: AlignedBuffer, to count: Int) throws(FileFailure) {
        do throws(AllocationError) {
            try buffer.reserve(count)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
    }
}
