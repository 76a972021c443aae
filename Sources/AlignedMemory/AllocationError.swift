/// The system has no memory for a buffer.
public struct AllocationError: Error, Equatable {
    /// How many bytes were asked for.
    public let byteCount: Int

    public init(byteCount: Int) {
        self.byteCount = byteCount
    }
}
