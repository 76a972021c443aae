import AlignedMemory
import HTTPCore
import Testing

@testable import HTTPServer

@Suite("Memory of bodies")
struct BufferPoolTests {
    private let pool = BufferPool()
    private let now = MonotonicTime.now()

    /// Takes memory and gives it back.
    ///
    /// - Returns: which one it was.
    private func use(_ capacity: Int) throws -> UnsafeMutableRawPointer {
        let buffer = try self.pool.take(capacity: capacity)
        #expect(buffer.capacity >= capacity)
        self.pool.put(buffer, at: self.now)
        return buffer.baseAddress
    }

    @Test("What was given back is handed out again")
    func reuse() throws {
        #expect(try self.use(1 << 20) == self.use(1 << 20))
        #expect(try self.use(1 << 20) == self.use(1 << 19))
    }

    @Test("Memory that somebody still holds, or that is far too large, is not handed out")
    func noReuse() throws {
        let held = try self.pool.take(capacity: 1 << 20)
        self.pool.put(held, at: self.now)
        let other = try self.pool.take(capacity: 1 << 20)
        #expect(other !== held)
        #expect(try self.use(4 << 20) != self.use(1 << 10))
    }

    @Test("No more than 36 MiB are kept, and nothing beside a request of 64 MiB or more")
    func limits() throws {
        let large = try (0..<3).map { _ in try self.pool.take(capacity: 16 << 20) }
        for buffer in large { self.pool.put(buffer, at: self.now) }
        #expect(self.pool.retainedBytes == 32 << 20)
        let exclusive = try self.pool.take(capacity: 64 << 20)
        #expect(self.pool.isEmpty)
        self.pool.put(exclusive, at: self.now)
        #expect(self.pool.isEmpty)
    }

    @Test("What is not used for three seconds goes back to the system")
    func eviction() throws {
        _ = try self.use(1 << 20)
        self.pool.evict(at: self.now + .milliseconds(2_999))
        #expect(!self.pool.isEmpty)
        self.pool.evict(at: self.now + .seconds(3))
        #expect(self.pool.isEmpty)
        #expect(self.pool.retainedBytes == 0)
    }
}
