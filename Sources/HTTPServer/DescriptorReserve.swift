import Glibc

/// The last descriptors of the process, which connections must leave to others.
///
/// Dispatch opens files of /proc to see how busy its threads are, and ends the process where it cannot; keys and
/// certificates are read again at any time.
enum DescriptorReserve {
    private static let count = 16

    /// Whether a descriptor with this number, the lowest that was free, is one of the last ones.
    static func contains(_ descriptor: Int32) -> Bool {
        var limit = rlimit()
        // Asked each time: an operator may change it while the process runs.
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        return Int(descriptor) >= Int(clamping: limit.rlim_cur) - Self.count
    }

    /// Whether the next descriptor would be one of the last ones, or there is none.
    ///
    /// - Parameter descriptor: any that is open.
    static func isNext(after descriptor: Int32) -> Bool {
        let next = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard next >= 0 else { return true }
        defer { close(next) }
        return Self.contains(next)
    }
}
