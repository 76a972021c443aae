import Glibc

/// Why a layer is not registered, or not removed.
enum LayerRepositoryError: Error, Equatable {
    /// The layer of that name comes from a checkpoint.
    case readOnly
    /// The file system, the quota or the process's limit has no room for it.
    case full
    /// Another process is at work in the directory, and does not come to an end.
    case busy
    /// The file system refuses for another reason.
    case storage(FileError)
}

extension LayerRepositoryError {
    init(_ error: FileError) {
        self =
            switch error.number {
            case EWOULDBLOCK: .busy
            case _ where error.isLackOfSpace: .full
            default: .storage(error)
            }
    }
}
