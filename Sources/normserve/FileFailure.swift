import Glibc
import HTTPCore

/// Why a file was not normalized, and the exit code that says so (sysexits.h).
enum FileFailure: Error {
    /// A file cannot be opened for reading.
    case cannotOpen(String, errorNumber: Int32)
    case cannotRead(String, errorNumber: Int32)
    case cannotWrite(String, errorNumber: Int32)
    /// The tensor or the layer is not what it should be.
    case refused(HTTPProblem)
    case outOfMemory(byteCount: Int)

    var exitCode: Int32 {
        switch self {
        case .cannotOpen: 66
        case .cannotRead, .cannotWrite: 74
        // RFC 9110 §15.6.4: what a server would have no room for at the moment.
        case .refused(let problem) where problem.status == .serviceUnavailable: 71
        case .refused: 65
        case .outOfMemory: 71
        }
    }
}

extension FileFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .cannotOpen(let name, let errorNumber): "\(name) cannot be opened: \(Self.reason(errorNumber))"
        case .cannotRead(let name, let errorNumber): "\(name) cannot be read: \(Self.reason(errorNumber))"
        case .cannotWrite(let name, let errorNumber): "\(name) cannot be written: \(Self.reason(errorNumber))"
        case .refused(let problem): problem.detail
        case .outOfMemory(let byteCount): "there is no memory for \(byteCount) bytes"
        }
    }

    private static func reason(_ errorNumber: Int32) -> String { String(cString: strerror(errorNumber)) }
}
