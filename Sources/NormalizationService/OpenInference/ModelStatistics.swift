import FoundationEssentials
import Synchronization

/// What was asked of one version of a model, and how long it took.
final class ModelStatistics: Sendable {
    /// How often something happened, and how long it took in all.
    struct Total: Equatable {
        private(set) var count = 0
        private(set) var nanoseconds: UInt64 = 0

        mutating func add(_ nanoseconds: UInt64) {
            self.count += 1
            self.nanoseconds &+= nanoseconds
        }
    }

    /// The stages of a computation.
    struct Stages: Equatable {
        fileprivate(set) var input = Total()
        fileprivate(set) var inference = Total()
        fileprivate(set) var output = Total()

        fileprivate mutating func add(_ timing: Timing) {
            self.input.add(timing.decode)
            self.inference.add(timing.compute)
            self.output.add(timing.encode)
        }
    }

    /// All that is counted, at some moment.
    struct Counts: Equatable {
        fileprivate(set) var success = Total()
        fileprivate(set) var failure = Total()
        fileprivate(set) var queue = Total()
        fileprivate(set) var stages = Stages()

        /// How many samples were normalized.
        fileprivate(set) var sampleCount = 0

        /// When the last request was answered well, in milliseconds since 1970; 0 if none was.
        fileprivate(set) var lastInference: UInt64 = 0

        /// By the number of samples in a request, for the numbers that came first.
        fileprivate(set) var batches: [Int: Stages] = [:]
    }

    /// Clients choose the sizes of batches: no more different ones are told apart.
    private static let batchSizeLimit = 64

    private let state = Mutex(Counts())

    var counts: Counts { self.state.withLock { $0 } }

    func countSuccess(_ timing: Timing, sampleCount: Int, at now: Date = .now) {
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970) * 1000)
        self.state.withLock { counts in
            counts.success.add(timing.service)
            counts.queue.add(timing.queue)
            counts.stages.add(timing)
            counts.sampleCount &+= sampleCount
            counts.lastInference = max(counts.lastInference, milliseconds)
            if counts.batches[sampleCount] != nil || counts.batches.count < Self.batchSizeLimit {
                counts.batches[sampleCount, default: Stages()].add(timing)
            }
        }
    }

    func countFailure(_ timing: Timing) {
        self.state.withLock { $0.failure.add(timing.service) }
    }
}

extension Timing {
    /// From the last byte of the request to the answer, in nanoseconds.
    fileprivate var service: UInt64 { self.total > self.receive ? self.total - self.receive : 0 }
}
