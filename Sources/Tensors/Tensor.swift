public import AlignedMemory

/// A dense row-major tensor: a data type, a shape, and a stretch of a buffer that holds the elements.
///
/// Copies share the buffer. Who normalizes a tensor in place is its only owner at that time.
public struct Tensor: Sendable {
    public let dataType: DataType
    public let shape: Shape

    /// The memory that holds the elements, and maybe other things before and after them.
    public let buffer: AlignedBuffer

    /// Where in `buffer` the first element stands; a multiple of the element's size.
    public let byteOffset: Int

    /// A new tensor with uninitialized elements, aligned to 64 bytes.
    public init(uninitialized dataType: DataType, shape: Shape) throws(AllocationError) {
        let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
        guard !overflow else { throw AllocationError(byteCount: .max) }
        self.init(dataType, shape: shape, in: try AlignedBuffer(capacity: byteCount), at: 0)
    }

    /// A view of elements that stand in `buffer` already.
    ///
    /// The elements must lie within the buffer and be aligned to their size.
    public init(_ dataType: DataType, shape: Shape, in buffer: AlignedBuffer, at byteOffset: Int) {
        precondition(byteOffset >= 0 && byteOffset % dataType.byteWidth == 0, "elements are aligned")
        precondition(
            shape.elementCount <= (buffer.capacity - byteOffset) / dataType.byteWidth,
            "elements lie within the buffer"
        )
        self.dataType = dataType
        self.shape = shape
        self.buffer = buffer
        self.byteOffset = byteOffset
    }

    public var byteCount: Int { self.shape.elementCount * self.dataType.byteWidth }

    /// Where the elements stand in `buffer`.
    public var byteRange: Range<Int> { self.byteOffset..<self.byteOffset + self.byteCount }

    /// The elements' bytes. Valid as long as `buffer` is kept alive.
    public var bytes: UnsafeMutableRawBufferPointer { self.buffer[self.byteRange] }

    /// The elements as `Element`, whose size is that of the data type. Valid as long as `buffer` is kept alive.
    public func elements<Element: BitwiseCopyable>(as type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
        precondition(
            MemoryLayout<Element>.size == self.dataType.byteWidth,
            "the element type has the width of the data type"
        )
        return self.bytes.bindMemory(to: type)
    }
}
