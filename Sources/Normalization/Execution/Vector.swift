import AlignedMemory

/// Memory for some numbers while a layer computes.
struct Vector<Scalar: BitwiseCopyable> {
    private let buffer: AlignedBuffer
    let count: Int

    init(count: Int) throws(LayerError) {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.stride)
        guard !overflow else { throw .outOfMemory(byteCount: .max) }
        do {
            self.buffer = try AlignedBuffer(capacity: byteCount)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
        self.count = count
        self.buffer.baseAddress.bindMemory(to: Scalar.self, capacity: count)
    }

    init(repeating value: Scalar, count: Int) throws(LayerError) {
        try self.init(count: count)
        self.pointer.update(repeating: value, count: count)
    }

    var pointer: UnsafeMutablePointer<Scalar> { self.buffer.baseAddress.assumingMemoryBound(to: Scalar.self) }

    subscript(index: Int) -> Scalar {
        get { self.pointer[index] }
        nonmutating set { self.pointer[index] = newValue }
    }
}
