import AlignedMemory
import CSystem
import HTTPCore
import Synchronization

/// Keeps the memory of bodies for the next ones: fresh pages cost more than the work on small tensors.
final class BufferPool: Sendable {
    /// What is kept in all, in bytes. It comes on top of what is in use.
    private static let maxRetainedBytes = 36 << 20

    /// Looking for memory must not take longer than allocating it.
    private static let maxEntries = 64

    /// A request this large does without what is kept, so that both are never there together.
    private static let exclusiveSize = 64 << 20

    private static let maxAge = Duration.seconds(3)

    private struct Entry {
        var buffer: AlignedBuffer
        let returnedAt: MonotonicTime

        /// Whether the memory suits a request of `capacity` bytes, and nobody else holds it any more. Far larger
        /// memory is left to those who need it.
        mutating func suits(_ capacity: Int) -> Bool {
            let size = self.buffer.capacity
            return size >= capacity && size / 4 <= capacity && isKnownUniquelyReferenced(&self.buffer)
        }
    }

    /// Asking the allocator goes through all of its memory.
    private static let minReleaseInterval = Duration.seconds(1)

    private struct State {
        var entries: [Entry] = []
        var retainedBytes = 0
        var releasedAt: MonotonicTime?
    }

    private let state = Mutex(State())

    /// Finds or allocates at least `capacity` bytes.
    func take(capacity: Int) throws(AllocationError) -> AlignedBuffer {
        let found = self.state.withLock { state -> AlignedBuffer? in
            // The last one used is the warmest.
            for index in state.entries.indices.reversed() where state.entries[index].suits(capacity) {
                let buffer = state.entries.remove(at: index).buffer
                state.retainedBytes -= buffer.capacity
                return buffer
            }
            if capacity >= Self.exclusiveSize { (state.entries, state.retainedBytes) = ([], 0) }
            return nil
        }
        if let found { return found }
        // The client may send less than it has declared: no more than that is touched.
        return try AlignedBuffer(capacity: capacity, usesHugePages: false)
    }

    /// Takes back memory, to be handed out again as soon as nobody else holds it.
    func put(_ buffer: AlignedBuffer, at now: MonotonicTime) {
        let returned = Entry(buffer: buffer, returnedAt: now)
        self.state.withLock { state in
            let size = returned.buffer.capacity
            guard size <= Self.maxRetainedBytes else { return }
            while state.retainedBytes + size > Self.maxRetainedBytes || state.entries.count >= Self.maxEntries {
                state.retainedBytes -= state.entries.removeFirst().buffer.capacity
            }
            state.entries.append(returned)
            state.retainedBytes += size
        }
    }

    var isEmpty: Bool { self.state.withLock { $0.entries.isEmpty } }

    var retainedBytes: Int { self.state.withLock { $0.retainedBytes } }

    /// Has the allocator, too, give back what it keeps, when nobody is there who could use it.
    func releaseUnusedMemory(at now: MonotonicTime) {
        let isDue = self.state.withLock { state in
            guard state.releasedAt.map({ now >= $0 + Self.minReleaseInterval }) ?? true else { return false }
            state.releasedAt = now
            return true
        }
        if isDue { system_release_memory() }
    }

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
