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
    private let count = Atomic(0)
    private let group = DispatchGroup()

    init(limit: Int) {
        self.limit = limit
    }

    /// The connections that are open now.
    var current: Int { self.count.load(ordering: .relaxed) }

    /// A connection was accepted. Unless it is dropped, `leave` follows.
    func enter() -> Admission {
        let number = self.count.wrappingAdd(1, ordering: .relaxed).newValue
        guard number <= self.limit + Self.refusalRoom else {
            self.count.wrappingSubtract(1, ordering: .relaxed)
            return .drop
        }
        self.group.enter()
        return number <= self.limit ? .serve : .refuse
    }

    func leave() {
        self.count.wrappingSubtract(1, ordering: .relaxed)
        self.group.leave()
    }

    /// Blocks until no connection is left.
    ///
    /// - Returns: whether that was before the deadline.
    func waitUntilEmpty(_ deadline: DispatchTime) -> Bool {
        self.group.wait(timeout: deadline) == .success
    }
}
