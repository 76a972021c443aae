import Glibc

enum StandardError {
    /// Writes all of it, unless nobody can read it any more.
    static func write(_ text: some Sequence<UInt8>) {
        let bytes = Array(text)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            written += max(count, 0)
        }
    }
}
