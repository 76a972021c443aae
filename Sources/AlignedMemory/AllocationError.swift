/// The system has no memory for a buffer, or its budget has no room for it.
public struct AllocationError: Error, Equatable {
    /// How many bytes were asked for.
    public let byteCount: Int

    public init(byteCount: Int) {
        self.byteCount = byteCount
    }
}
