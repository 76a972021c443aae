import AlignedMemory

/// Memory for some numbers while a layer computes.
struct Vector<Scalar: BitwiseCopyable> {
    private let buffer: AlignedBuffer
    let count: Int

    /// The first number. Valid as long as the vector, or a copy of it, is there.
    let pointer: UnsafeMutablePointer<Scalar>

    init(count: Int) throws(LayerError) {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.stride)
        guard !overflow else { throw .outOfMemory(byteCount: .max) }
        do {
            self.buffer = try AlignedBuffer(capacity: byteCount)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
        self.count = count
        self.pointer = self.buffer.baseAddress.bindMemory(to: Scalar.self, capacity: count)
    }

    init(repeating value: Scalar, count: Int) throws(LayerError) {
        try self.init(count: count)
        self.pointer.update(repeating: value, count: count)
    }

    subscript(index: Int) -> Scalar {
        get { self.pointer[index] }
        nonmutating set { self.pointer[index] = newValue }
    }
}
