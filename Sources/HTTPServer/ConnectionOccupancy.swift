import Dispatch
import Synchronization

/// Counts the connections of all loops, and tells when the last one has gone.
final class ConnectionOccupancy: Sendable {
    /// So many more get a 503 at the same time; beyond that connections are closed without a word.
    private static let refusalRoom = 64

    enum Admission {
        case serve
        case refuse
        case drop
    }

    private let limit: Int
    private let servedCount = Atomic(0)
    private let refusedCount = Atomic(0)
    private let group = DispatchGroup()

    init(limit: Int) {
        self.limit = limit
    }

    /// The connections that are open now.
    var current: Int { self.servedCount.load(ordering: .relaxed) + self.refusedCount.load(ordering: .relaxed) }

    /// A connection was accepted. Unless it is dropped, `leave` follows.
    func enter() -> Admission {
        let admission: Admission =
            if Self.add(to: self.servedCount, limit: self.limit) {
                .serve
            } else if Self.add(to: self.refusedCount, limit: Self.refusalRoom) {
                .refuse
            } else {
                .drop
            }
        if admission != .drop { self.group.enter() }
        return admission
    }

    /// A connection that was served or refused is closed.
    func leave(_ admission: Admission) {
        if admission == .serve {
            self.servedCount.wrappingSubtract(1, ordering: .relaxed)
        } else {
            self.refusedCount.wrappingSubtract(1, ordering: .relaxed)
        }
        self.group.leave()
    }

    private static func add(to count: borrowing Atomic<Int>, limit: Int) -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue > limit else { return true }
        count.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Blocks until no connection is left.
    ///
    /// - Returns: whether that was before the deadline.
    func waitUntilEmpty(_ deadline: DispatchTime) -> Bool {
        self.group.wait(timeout: deadline) == .success
    }
}
