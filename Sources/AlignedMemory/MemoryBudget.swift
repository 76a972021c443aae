import Synchronization

/// A number of bytes that all requests share, so that no crowd of them takes more memory than was agreed on.
public final class MemoryBudget: Sendable {
    /// On whose account large buffers are allocated in a task or thread; nobody counts them where it is `nil`.
    @TaskLocal public static var current: MemoryBudget?

    /// What may be in use at a time, in bytes.
    public let limit: Int

    private let used = Atomic(0)

    public init(limit: Int) {
        self.limit = limit
    }

    /// - Returns: whether there was room for `count` more bytes.
    public func reserve(_ count: Int) -> Bool {
        var used = self.used.load(ordering: .relaxed)
        // Nothing is added and taken back: that would refuse others who come in between.
        while count <= self.limit - used {
            let result = self.used.compareExchange(expected: used, desired: used + count, ordering: .relaxed)
            if result.exchanged { return true }
            used = result.original
        }
        return false
    }

    /// Whether `count` more bytes would fit at the moment. Others may come in between.
    public func hasRoom(for count: Int) -> Bool {
        count <= self.limit - self.used.load(ordering: .relaxed)
    }

    public func release(_ count: Int) {
        self.used.wrappingSubtract(count, ordering: .relaxed)
    }

    /// What is in use now.
    public var usedBytes: Int { self.used.load(ordering: .relaxed) }
}
