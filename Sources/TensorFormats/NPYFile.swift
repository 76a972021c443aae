public import AlignedMemory
public import Tensors

/// Reads and writes whole `.npy` files.
public enum NPYFile {
    /// The array of the file that takes up `range` of `buffer`, row-major and little-endian.
    ///
    /// It is a view of the buffer where its elements are aligned there and the first axis is not the contiguous one; bytes
    /// in another order are put right in place. One of more than `elementLimit` elements is an error, for which no memory
    /// is taken.
    public static func tensor(
        in buffer: AlignedBuffer,
        _ range: Range<Int>,
        elementLimit: Int = .max
    ) throws(TensorFormatError) -> Tensor {
        let file = UnsafeRawBufferPointer(buffer[range])
        let header = try NPYHeader(file)
        let (dataType, shape) = (header.dataType, header.shape)
        guard shape.elementCount <= elementLimit else {
            throw .tooManyElements(shape.elementCount, limit: elementLimit, pointer: "/input", offset: 0)
        }
        let start = range.lowerBound + header.dataOffset
        let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
        guard !overflow, needed == range.upperBound - start else {
            throw .npy(.dataSize(range.upperBound - start, needed: overflow ? nil : needed))
        }
        let bytes = buffer[start..<range.upperBound]
        if dataType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
            throw .invalidBooleanByte(index: index, pointer: "/input", offset: header.dataOffset)
        }
        var tensor: Tensor
        if start % dataType.byteWidth == 0 {
            tensor = Tensor(dataType, shape: shape, in: buffer, at: start)
        } else {
            tensor = try JSONTensor.allocate(dataType, shape)
            tensor.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
        }
        if header.isBigEndian {
            ElementOrder.swapBytes(of: tensor)
        }
        if header.isFortranOrder {
            tensor = try ElementOrder.rowMajor(tensor)
        }
        return tensor
    }

    /// What stands before the elements of a row-major little-endian array: what numpy itself writes, byte by byte. The
    /// elements begin at a multiple of 64 bytes.
    public static func header(_ dataType: DataType, _ shape: Shape) -> [UInt8] {
        let dimensions = shape.dimensions.map(String.init)
        let tuple = dimensions.count == 1 ? "(\(dimensions[0]),)" : "(\(dimensions.joined(separator: ", ")))"
        let order = dataType.byteWidth == 1 ? "|" : "<"
        var text = "{'descr': '\(order)\(dataType.npyCode)', 'fortran_order': False, 'shape': \(tuple), }"
        // numpy leaves room for the first dimension to grow in place.
        text += String(repeating: " ", count: dimensions.first.map { 21 - $0.utf8.count } ?? 0)
        let prefix = NPYHeader.magic + [1, 0]
        // The length of the header takes two bytes; a line feed ends it.
        let unpadded = prefix.count + 2 + text.utf8.count + 1
        let padding = NPYHeader.alignment - unpadded % NPYHeader.alignment
        let length = UInt16(text.utf8.count + padding + 1)
        return prefix + withUnsafeBytes(of: length.littleEndian, Array.init) + Array(text.utf8)
            + Array(repeating: ASCII.space, count: padding) + [0x0a]
    }
}
