/// Why a layer is not registered, or not removed.
public enum LayerRepositoryError: Error, Equatable {
    /// The layer of that name comes from a checkpoint.
    case readOnly
}
