import Synchronization

/// A number of bytes that many connections share.
final class ByteBudget: Sendable {
    private let limit: Int
    private let used = Atomic(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// - Returns: whether there was room for `count` more bytes.
    func reserve(_ count: Int) -> Bool {
        guard self.used.wrappingAdd(count, ordering: .relaxed).newValue <= self.limit else {
            self.release(count)
            return false
        }
        return true
    }

    func release(_ count: Int) {
        self.used.wrappingSubtract(count, ordering: .relaxed)
    }

    var usedBytes: Int { self.used.load(ordering: .relaxed) }
}
