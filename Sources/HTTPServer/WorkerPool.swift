import Dispatch
import Synchronization

/// Runs jobs in the order they came in, so many at a time.
final class WorkerPool: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State {
        var waiting: [(id: UInt64, job: Job)] = []
        var runningCount = 0
        var lastID: UInt64 = 0
    }

    private let maxRunningCount: Int
    private let queue = DispatchQueue(label: "normserve.workers", attributes: .concurrent)
    private let state = Mutex(State())

    init(count: Int) {
        self.maxRunningCount = count
    }

    /// - Returns: the name under which the job can be cancelled.
    func submit(_ job: @escaping Job) -> UInt64 {
        let (id, startsNow) = self.state.withLock { state in
            state.lastID += 1
            let startsNow = state.runningCount < self.maxRunningCount
            if startsNow {
                state.runningCount += 1
            } else {
                state.waiting.append((state.lastID, job))
            }
            return (state.lastID, startsNow)
        }
        if startsNow { self.queue.async { self.run(job) } }
        return id
    }

    /// Forgets a job that has not begun, with everything it holds.
    ///
    /// - Returns: whether that was in time.
    func cancel(_ id: UInt64) -> Bool {
        // The job comes out of the lock, so that what it holds is freed outside.
        let forgotten = self.state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        return forgotten != nil
    }

    private func run(_ first: @escaping Job) {
        var job: Job? = first
        while let current = job {
            job = nil
            current()
            job = self.state.withLock { state in
                guard !state.waiting.isEmpty else {
                    state.runningCount -= 1
                    return nil
                }
                return state.waiting.removeFirst().job
            }
        }
    }
}
