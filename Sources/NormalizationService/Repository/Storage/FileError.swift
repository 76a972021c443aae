import Glibc

/// A call to the system that failed.
struct FileError: Error, Equatable {
    /// `errno` as the call left it.
    let number: Int32

    /// The error of the call before.
    static var last: Self { Self(number: errno) }

    /// Whether the file system, the quota or the process's own limit has no room.
    var isLackOfSpace: Bool { [ENOSPC, EDQUOT, EFBIG].contains(self.number) }
}

extension FileError: CustomStringConvertible {
    var description: String { String(cString: strerror(self.number)) }
}
