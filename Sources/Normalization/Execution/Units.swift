import Dispatch
import Synchronization

/// What one thread needs to do its share of a job: memory of its own.
protocol UnitWorker: SendableMetatype {
    /// Does one of the units that a job consists of.
    mutating func perform(_ unit: Int)
}

/// The units of a job, handed out one by one to whoever is free.
final class Units: Sendable {
    private let count: Int
    private let next = Atomic(0)

    init(count: Int) {
        self.count = count
    }

    /// Lets every worker take units until none is left. Threads come from Dispatch, no more than there are free
    /// processors; the calling one is among them, so that the work gets done even if it stays alone.
    func distribute<Worker: UnitWorker>(to workers: [Worker]) {
        // Each iteration touches its own worker only.
        nonisolated(unsafe) let workers = workers
        DispatchQueue.concurrentPerform(iterations: workers.count) { index in
            var worker = workers[index]
            while let unit = self.take() {
                worker.perform(unit)
            }
        }
    }

    private func take() -> Int? {
        let unit = self.next.wrappingAdd(1, ordering: .relaxed).oldValue
        return unit < self.count ? unit : nil
    }
}
