import AlignedMemory
import Tensors

/// The elements of one tensor as JSON, in memory that grows without being copied.
struct TensorText {
    let buffer: AlignedBuffer

    /// Where the text goes on.
    private var next: UnsafeMutablePointer<UInt8>

    /// Where the memory ends.
    private var end: UnsafeMutablePointer<UInt8>

    /// The most elements that are written without a look at the memory left.
    private static let chunk = 512

    /// The usual length of an element and its comma.
    private static let usualLength = 12

    /// Writes the elements as one array, or as arrays nested as deep as the tensor has dimensions.
    init(_ tensor: Tensor, nested: Bool) throws(AllocationError) {
        let elementCount = tensor.shape.elementCount
        self.buffer = try AlignedBuffer(capacity: elementCount * Self.usualLength + Self.chunkCapacity(elementCount))
        (self.next, self.end) = Self.room(in: self.buffer, after: 0)
        let isFlat = !nested || elementCount == 0 || tensor.shape.rank < 2
        let dimensions = isFlat ? [elementCount][...] : tensor.shape.dimensions[...]
        switch tensor.dataType {
        case .bool: try self.appendElements(of: tensor, as: Bool.self, dimensions)
        case .uint8: try self.appendElements(of: tensor, as: UInt8.self, dimensions)
        case .uint16: try self.appendElements(of: tensor, as: UInt16.self, dimensions)
        case .uint32: try self.appendElements(of: tensor, as: UInt32.self, dimensions)
        case .uint64: try self.appendElements(of: tensor, as: UInt64.self, dimensions)
        case .int8: try self.appendElements(of: tensor, as: Int8.self, dimensions)
        case .int16: try self.appendElements(of: tensor, as: Int16.self, dimensions)
        case .int32: try self.appendElements(of: tensor, as: Int32.self, dimensions)
        case .int64: try self.appendElements(of: tensor, as: Int64.self, dimensions)
        case .fp16: try self.appendElements(of: tensor, as: Float16.self, dimensions)
        case .bf16: try self.appendElements(of: tensor, as: BFloat16.self, dimensions)
        case .fp32: try self.appendElements(of: tensor, as: Float.self, dimensions)
        case .fp64: try self.appendElements(of: tensor, as: Double.self, dimensions)
        }
    }

    /// What has been written. Valid while the buffer is kept alive.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(self.buffer[0..<self.count]) }

    private var count: Int { UnsafeRawPointer(self.next) - UnsafeRawPointer(self.buffer.baseAddress) }

    private mutating func appendElements<Element: TextElement>(
        of tensor: Tensor,
        as type: Element.Type,
        _ dimensions: ArraySlice<Int>
    ) throws(AllocationError) {
        // A view of the elements does not keep their memory.
        let owner = tensor.buffer
        defer { withExtendedLifetime(owner) {} }
        try self.appendArrays(UnsafeBufferPointer(tensor.elements(as: type)), dimensions)
    }

    /// Writes `elements`, none of them missing, as arrays nested by `dimensions`.
    private mutating func appendArrays<Element: TextElement>(
        _ elements: UnsafeBufferPointer<Element>,
        _ dimensions: ArraySlice<Int>
    ) throws(AllocationError) {
        guard dimensions.count > 1, let length = dimensions.first else { return try self.appendRow(elements) }
        let stride = elements.count / length
        for index in 0..<length {
            try self.append(index == 0 ? ASCII.openBracket : ASCII.comma)
            let range = index * stride..<(index + 1) * stride
            try self.appendArrays(UnsafeBufferPointer(rebasing: elements[range]), dimensions.dropFirst())
        }
        try self.append(ASCII.closeBracket)
    }

    /// Writes an array of numbers, many at a time into memory that needs no checks.
    private mutating func appendRow<Element: TextElement>(
        _ elements: UnsafeBufferPointer<Element>
    ) throws(AllocationError) {
        try self.append(ASCII.openBracket)
        for start in stride(from: 0, to: elements.count, by: Self.chunk) {
            let part = elements[start..<min(start + Self.chunk, elements.count)]
            try self.reserve(Self.chunkCapacity(part.count))
            var next = self.next
            for element in part {
                next = element.write(to: next)
                next.pointee = ASCII.comma
                next += 1
            }
            self.next = next
        }
        // The bracket takes the place of the last element's comma.
        self.next -= elements.isEmpty ? 0 : 1
        try self.append(ASCII.closeBracket)
    }

    /// What a chunk of at most so many elements, their commas, and an array's brackets take at most.
    private static func chunkCapacity(_ elementCount: Int) -> Int {
        min(elementCount, Self.chunk) * (DecimalText.capacity + 1) + 2
    }

    private mutating func append(_ byte: UInt8) throws(AllocationError) {
        try self.reserve(1)
        self.next.pointee = byte
        self.next += 1
    }

    /// Makes sure that `byteCount` bytes can be written.
    @inline(__always)
    private mutating func reserve(_ byteCount: Int) throws(AllocationError) {
        if self.end - self.next < byteCount {
            try self.grow(by: byteCount)
        }
    }

    @inline(never)
    private mutating func grow(by byteCount: Int) throws(AllocationError) {
        let count = self.count
        try self.buffer.reserve(max(count + byteCount, 2 * self.buffer.capacity))
        (self.next, self.end) = Self.room(in: self.buffer, after: count)
    }

    private static func room(
        in buffer: AlignedBuffer,
        after count: Int
    ) -> (next: UnsafeMutablePointer<UInt8>, end: UnsafeMutablePointer<UInt8>) {
        let base = buffer.baseAddress.assumingMemoryBound(to: UInt8.self)
        return (base + count, base + buffer.capacity)
    }
}
