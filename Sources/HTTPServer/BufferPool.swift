import AlignedMemory
import HTTPCore
import Synchronization

/// Keeps the memory of bodies for the next ones: fresh pages cost more than the work on small tensors.
final class BufferPool: Sendable {
    /// What is kept in all, in bytes. It comes on top of what is in use.
    private static let maxRetainedBytes = 36 << 20

    /// A request this large does without what is kept, so that both are never there together.
    private static let exclusiveSize = 64 << 20

    private static let maxAge = Duration.seconds(3)

    private struct Entry {
        let buffer: AlignedBuffer
        let returnedAt: MonotonicTime
    }

    private struct State {
        var entries: [Entry] = []
        var retainedBytes = 0
    }

    private let state = Mutex(State())

    /// Finds or allocates at least `capacity` bytes.
    func take(capacity: Int) throws(AllocationError) -> AlignedBuffer {
        let found = self.state.withLock { state -> AlignedBuffer? in
            // Far larger memory than asked for is left to those who need it. The last one used is the warmest.
            if let index = state.entries.lastIndex(where: {
                $0.buffer.capacity >= capacity && $0.buffer.capacity / 4 <= capacity
            }) {
                let buffer = state.entries.remove(at: index).buffer
                state.retainedBytes -= buffer.capacity
                return buffer
            }
            if capacity >= Self.exclusiveSize { state = State() }
            return nil
        }
        if let found { return found }
        return try AlignedBuffer(capacity: capacity)
    }

    /// Takes back memory that nobody else uses any more.
    func put(_ buffer: consuming AlignedBuffer, at now: MonotonicTime) {
        guard isKnownUniquelyReferenced(&buffer) else { return }
        let returned = Entry(buffer: buffer, returnedAt: now)
        self.state.withLock { state in
            let size = returned.buffer.capacity
            guard size <= Self.maxRetainedBytes else { return }
            while state.retainedBytes + size > Self.maxRetainedBytes {
                state.retainedBytes -= state.entries.removeFirst().buffer.capacity
            }
            state.entries.append(returned)
            state.retainedBytes += size
        }
    }

    var isEmpty: Bool { self.state.withLock { $0.entries.isEmpty } }

    /// Gives back to the system what was not used for a while.
    func evict(at now: MonotonicTime) {
        self.state.withLock { state in
            while let oldest = state.entries.first, now >= oldest.returnedAt + Self.maxAge {
                state.retainedBytes -= oldest.buffer.capacity
                state.entries.removeFirst()
            }
        }
    }
}
