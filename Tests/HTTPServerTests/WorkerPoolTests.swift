import Dispatch
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Workers")
struct WorkerPoolTests {
    /// Notes the jobs that ran, and holds each until it is released.
    private final class Log: Sendable {
        let started = Mutex<[Int]>([])
        let gate = DispatchSemaphore(value: 0)

        func job(_ number: Int) -> WorkerPool.Job {
            {
                self.started.withLock { $0.append(number) }
                self.gate.wait()
            }
        }

        var numbers: [Int] { self.started.withLock { $0 } }
    }

    @Test("So many jobs run at a time, in the order they came in")
    func order() async throws {
        let (pool, log) = (WorkerPool(count: 2), Log())
        for number in 0..<6 { _ = pool.submit(log.job(number)) }
        try await eventually("two have started") { log.numbers.count == 2 }
        for finished in 1...4 {
            log.gate.signal()
            try await eventually("one more has started") { log.numbers.count == 2 + finished }
        }
        #expect(Set(log.numbers.prefix(2)) == [0, 1])
        #expect(log.numbers.dropFirst(2) == [2, 3, 4, 5])
        for _ in 0..<2 { log.gate.signal() }
    }

    @Test("A job that waits can be cancelled, one that runs cannot")
    func cancel() async throws {
        let (pool, log) = (WorkerPool(count: 1), Log())
        let ids = (0..<3).map { pool.submit(log.job($0)) }
        try await eventually("the first has started") { log.numbers == [0] }
        #expect(!pool.cancel(ids[0]))
        #expect(pool.cancel(ids[1]))
        #expect(!pool.cancel(ids[1]))
        log.gate.signal()
        try await eventually("the third has started") { log.numbers == [0, 2] }
        log.gate.signal()
    }
}
