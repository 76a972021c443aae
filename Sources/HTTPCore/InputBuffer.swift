import AlignedMemory

/// What was read and is not yet taken: a head, the framing of chunks, or pipelined requests.
struct InputBuffer {
    /// Enough for a head with a small body; more is only allocated for larger heads.
    private static let initialCapacity = 16 << 10

    private var storage: AlignedBuffer
    private var start = 0
    private var end = 0

    init() throws(AllocationError) {
        self.storage = try AlignedBuffer(capacity: Self.initialCapacity)
    }

    var isEmpty: Bool { self.start == self.end }

    /// Whether there is nothing but, maybe, the first half of an empty line.
    var isEmptyLineOrLess: Bool {
        self.isEmpty || (self.end - self.start == 1 && self.bytes[0] == .carriageReturn)
    }

    /// The bytes not yet taken; valid until the buffer is changed.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(self.storage[self.start..<self.end]) }

    mutating func take(_ count: Int) {
        precondition(count <= self.end - self.start, "only what is there can be taken")
        self.start += count
        if self.start == self.end { (self.start, self.end) = (0, 0) }
    }

    mutating func removeAll() {
        (self.start, self.end) = (0, 0)
    }

    /// Room for more bytes, never empty; grows if the buffer is full.
    mutating func space() throws(AllocationError) -> UnsafeMutableRawBufferPointer {
        // Not only when nothing is free: reading byte by byte costs more than moving what is there.
        if self.start > 0, self.storage.capacity - self.end < self.storage.capacity / 4 {
            let count = self.end - self.start
            self.storage.baseAddress.copyMemory(from: self.storage.baseAddress + self.start, byteCount: count)
            (self.start, self.end) = (0, count)
        }
        if self.end == self.storage.capacity {
            try self.storage.reserve(self.storage.capacity * 2)
        }
        return self.storage[self.end..<self.storage.capacity]
    }

    /// Notes that `count` bytes were written to the start of `space`.
    mutating func append(_ count: Int) {
        precondition(count <= self.storage.capacity - self.end, "no more than the space was written")
        self.end += count
    }

    /// Gives back what a large head has made it grow to.
    mutating func shrink() throws(AllocationError) {
        guard self.isEmpty, self.storage.capacity > Self.initialCapacity else { return }
        self.storage = try AlignedBuffer(capacity: Self.initialCapacity)
    }
}
