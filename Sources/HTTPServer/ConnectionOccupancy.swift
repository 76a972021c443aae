import Dispatch
import HTTPCore
import Synchronization

/// Counts the connections of all loops, and tells when the last one has gone.
final class ConnectionOccupancy: Sendable {
    /// So many more get a 503 at the same time; beyond that connections are closed without a word.
    private static let refusalRoom = 64

    /// What an accepted connection takes up until it is closed.
    enum Place: Equatable {
        /// Served; counted for its address, if it has one.
        case served(PeerAddress?)
        /// Turned away with a 503.
        case refused
    }

    private struct State {
        var servedCount = 0
        var refusedCount = 0
        var servedCounts: [PeerAddress: Int] = [:]
    }

    private let limit: Int
    private let limitPerAddress: Int
    private let metrics: HTTPMetrics
    private let state = Mutex(State())
    private let group = DispatchGroup()

    /// - Parameter limitPerAddress: 0 for none.
    init(limit: Int, limitPerAddress: Int, metrics: HTTPMetrics) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress > 0 ? limitPerAddress : .max
        self.metrics = metrics
    }

    /// The connections that are open now.
    var current: Int { self.state.withLock { $0.servedCount + $0.refusedCount } }

    /// A connection was accepted.
    ///
    /// - Parameter isSecure: whether a refusal could only be told after a TLS handshake. An address that has its share of
    ///   connections does not get that much for more of them.
    /// - Returns: what `leave` has to be told in the end; `nil` if the connection is to be closed at once.
    func enter(from address: PeerAddress?, isSecure: Bool) -> Place? {
        let (place, limit) = self.state.withLock { state -> (Place?, Limit?) in
            let reached = self.reachedLimit(state, address)
            guard reached != nil else {
                state.servedCount += 1
                if let address { state.servedCounts[address, default: 0] += 1 }
                return (.served(address), nil)
            }
            guard state.refusedCount < Self.refusalRoom, !isSecure || reached == .connections else {
                return (nil, reached)
            }
            state.refusedCount += 1
            return (.refused, reached)
        }
        self.metrics.connectionsAccepted.add()
        if let limit { self.metrics[limit].add() }
        guard place != nil else { return nil }
        self.metrics.connectionsOpen.add()
        self.group.enter()
        return place
    }

    private func reachedLimit(_ state: State, _ address: PeerAddress?) -> Limit? {
        if state.servedCount >= self.limit { return .connections }
        guard let address, let count = state.servedCounts[address] else { return nil }
        return count >= self.limitPerAddress ? .connectionsPerAddress : nil
    }

    /// A connection is closed.
    func leave(_ place: Place) {
        self.state.withLock { state in
            switch place {
            case .refused: state.refusedCount -= 1
            case .served(let address):
                state.servedCount -= 1
                guard let address, let count = state.servedCounts[address] else { return }
                state.servedCounts[address] = count > 1 ? count - 1 : nil
            }
        }
        self.metrics.connectionsOpen.add(-1)
        self.group.leave()
    }

    /// Blocks until no connection is left.
    ///
    /// - Returns: whether that was before the deadline.
    func waitUntilEmpty(_ deadline: DispatchTime) -> Bool {
        self.group.wait(timeout: deadline) == .success
    }
}
