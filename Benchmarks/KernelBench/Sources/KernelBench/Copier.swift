import Foundation
import Synchronization
import Tensors

/// Copies bytes from one place to another by memcpy, each of several threads its part.
///
/// The other threads wait spinning, so that waking them costs nothing: sharing work cannot be cheaper.
final class Copier: Sendable {
    private static let spinsUntilYield = 1000

    private let source: Tensor
    private let destination: Tensor
    private let threadCount: Int

    /// How many copies have begun; negative when there will be no more.
    private let round = Atomic(0)

    /// How many of the other threads have done their part.
    private let finished = Atomic(0)

    init(byteCount: Int, threadCount: Int) throws {
        let shape = try Shape([byteCount])
        self.source = try Tensor(uninitialized: .uint8, shape: shape)
        self.destination = try Tensor(uninitialized: .uint8, shape: shape)
        self.threadCount = threadCount
        // Memory that nobody has written to is one page of zeros, which is in cache.
        self.source.bytes.initializeMemory(as: UInt8.self, repeating: 1)
        for index in 1..<max(threadCount, 1) {
            Thread { self.work(index) }.start()
        }
    }

    func copy() {
        self.finished.store(0, ordering: .relaxed)
        self.round.add(1, ordering: .releasing)
        self.copyPart(0)
        self.awaitOthers()
    }

    /// Lets the other threads end.
    func dismiss() {
        self.finished.store(0, ordering: .relaxed)
        self.round.store(-1, ordering: .releasing)
        self.awaitOthers()
    }

    private func work(_ index: Int) {
        var seen = 0
        while true {
            self.spin { self.round.load(ordering: .acquiring) == seen }
            seen = self.round.load(ordering: .acquiring)
            guard seen >= 0 else { break }
            self.copyPart(index)
            self.finished.add(1, ordering: .releasing)
        }
        self.finished.add(1, ordering: .releasing)
    }

    private func awaitOthers() {
        self.spin { self.finished.load(ordering: .acquiring) < self.threadCount - 1 }
    }

    /// Waits; where that takes long, the thread that is waited for may need this one's core.
    private func spin(while isWaiting: () -> Bool) {
        var spins = 0
        while isWaiting() {
            spins += 1
            if spins % Self.spinsUntilYield == 0 { sched_yield() }
        }
    }

    private func copyPart(_ index: Int) {
        let count = self.source.byteCount
        let range = count * index / self.threadCount..<count * (index + 1) / self.threadCount
        guard let source = self.source.bytes.baseAddress, let destination = self.destination.bytes.baseAddress else {
            return
        }
        memcpy(destination + range.lowerBound, source + range.lowerBound, range.count)
    }
}
