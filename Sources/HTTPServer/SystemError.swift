import Glibc

/// The words of the C library for an error number.
enum SystemError {
    static func text(_ errorNumber: Int32) -> String {
        guard let text = strerror(errorNumber) else { return "error \(errorNumber)" }
        return String(cString: text)
    }
}
