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
        var used = self.used.load(ordering: .relaxed)
        // Nothing is added and taken back: that would refuse others who come in between.
        while count <= self.limit - used {
            let result = self.used.compareExchange(expected: used, desired: used + count, ordering: .relaxed)
            if result.exchanged { return true }
            used = result.original
        }
        return false
    }

    func release(_ count: Int) {
        self.used.wrappingSubtract(count, ordering: .relaxed)
    }

    var usedBytes: Int { self.used.load(ordering: .relaxed) }
}
