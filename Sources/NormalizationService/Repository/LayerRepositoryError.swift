/// Why a layer is not registered, or not removed.
enum LayerRepositoryError: Error, Equatable {
    /// The layer of that name comes from a checkpoint.
    case readOnly
    /// The file system, the quota or the process's limit has no room for it.
    case full
    /// The file system refuses for another reason.
    case storage(FileError)
}

extension LayerRepositoryError {
    init(_ error: FileError) {
        self = error.isLackOfSpace ? .full : .storage(error)
    }
}
