import Synchronization

/// Whether the service takes new work; what `/health/ready` answers.
public final class Readiness: Sendable {
    private let isDrainingFlag = Atomic(false)

    public init() {}

    public var isDraining: Bool { self.isDrainingFlag.load(ordering: .acquiring) }

    /// From here on the service is not ready any more.
    public func startDraining() {
        self.isDrainingFlag.store(true, ordering: .releasing)
    }
}
