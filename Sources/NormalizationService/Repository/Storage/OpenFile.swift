import Glibc

/// An open file or directory, closed when it goes out of use. Symbolic links are not followed.
struct OpenFile: ~Copyable {
    let descriptor: Int32

    /// Opens a file below an open directory.
    init(_ name: String, in directory: Int32, flags: Int32, mode: mode_t = 0o644) throws(FileError) {
        // A pipe that nobody writes to must not hold up anything.
        let flags = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        self.descriptor = openat(directory, name, flags, mode)
        guard self.descriptor >= 0 else { throw .last }
    }

    /// Opens a directory below another.
    init(directory name: String, in parent: Int32) throws(FileError) {
        try self.init(name, in: parent, flags: O_RDONLY | O_DIRECTORY)
    }

    /// Opens what the operator names; here links are followed.
    init(path: String, flags: Int32) throws(FileError) {
        self.descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK)
        guard self.descriptor >= 0 else { throw .last }
    }

    deinit {
        close(self.descriptor)
    }

    /// The size of a regular file in bytes; `nil` for anything else.
    func regularFileSize() throws(FileError) -> Int? {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw .last }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// Reads until the buffer is full or the file ends; returns how many bytes there were.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = pread(self.descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
            guard count >= 0 || errno == EINTR else { throw .last }
            guard count != 0 else { break }
            filled += max(count, 0)
        }
        return filled
    }

    /// Writes all of the bytes at the end.
    func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Glibc.write(self.descriptor, rest.baseAddress, rest.count)
            guard count >= 0 || errno == EINTR else { throw .last }
            written += max(count, 0)
        }
    }

    /// Returns when what was written, or the entries of a directory, are on the medium.
    func sync() throws(FileError) {
        guard fsync(self.descriptor) == 0 else { throw .last }
    }

    /// The names in a directory, but for `.` and `..`, sorted.
    func names() throws(FileError) -> [String] {
        // A descriptor of its own: closing the stream closes it.
        let copy = openat(self.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw .last }
        guard let stream = fdopendir(copy) else {
            let error = FileError.last
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // The end and a failure look the same but for this.
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." {
                names.append(name)
            }
        }
        guard errno == 0 else { throw .last }
        return names.sorted()
    }
}
