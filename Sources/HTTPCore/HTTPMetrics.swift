public import AlignedMemory
public import HTTPTypes
import Synchronization

/// What has happened since the start: the server and the service count, `GET /metrics` shows.
public final class HTTPMetrics: Sendable {
    /// A number that only grows, or a level that goes up and down.
    public final class Counter: Sendable {
        private let count = Atomic(0)

        public var value: Int { self.count.load(ordering: .relaxed) }

        public func add(_ difference: Int = 1) {
            self.count.wrappingAdd(difference, ordering: .relaxed)
        }
    }

    public let connectionsAccepted = Counter()
    public let connectionsOpen = Counter()
    public let receivedBytes = Counter()
    public let sentBytes = Counter()
    public let fullHandshakes = Counter()
    public let resumedHandshakes = Counter()
    public let failedHandshakes = Counter()

    /// What bodies, and all that is made of them, take at the moment.
    public let memory: MemoryBudget

    private static let statusCodes = 100..<600

    private let limits = Limit.allCases.map { _ in Counter() }
    private let responses = HTTPMetrics.statusCodes.map { _ in Counter() }
    private let problems = Mutex<[String: Int]>([:])

    public init(memory: MemoryBudget) {
        self.memory = memory
    }

    /// How often a limit was reached.
    public subscript(limit: Limit) -> Counter {
        guard let index = Limit.allCases.firstIndex(of: limit) else { preconditionFailure("the limit is a case") }
        return self.limits[index]
    }

    /// Notes a response whose head is about to be sent.
    public func countResponse(_ status: HTTPResponse.Status) {
        guard Self.statusCodes.contains(status.code) else { return }
        self.responses[status.code - Self.statusCodes.lowerBound].add()
    }

    /// The statuses that were answered with, and how often.
    public var responseCounts: [(status: Int, count: Int)] {
        zip(Self.statusCodes, self.responses).compactMap { $1.value > 0 ? ($0, $1.value) : nil }
    }

    /// Notes a refusal that is about to be worded.
    public func countProblem(code: String) {
        self.problems.withLock { $0[code, default: 0] += 1 }
    }

    /// How often a client was refused with this code.
    public func problemCount(code: String) -> Int {
        self.problems.withLock { $0[code] ?? 0 }
    }
}
