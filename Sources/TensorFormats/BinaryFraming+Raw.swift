public import AlignedMemory
public import Tensors

extension BinaryFraming {
    /// The tensor of which `range` of `buffer` holds the elements and nothing else: a view where they are aligned there,
    /// else a copy.
    ///
    /// One of more than `elementLimit` elements is an error, and so are bytes that are not as many as the shape needs.
    public static func tensor(
        _ dataType: DataType,
        _ shape: Shape,
        in buffer: AlignedBuffer,
        _ range: Range<Int>,
        elementLimit: Int = .max
    ) throws(TensorFormatError) -> Tensor {
        guard shape.elementCount <= elementLimit else {
            throw .tooManyElements(shape.elementCount, limit: elementLimit, pointer: "/input/shape", offset: 0)
        }
        let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
        guard !overflow, needed == range.count else {
            throw .binarySize(
                range.count,
                needed: overflow ? nil : needed,
                dataType: dataType,
                shape: shape,
                pointer: "/input",
                offset: 0
            )
        }
        let bytes = buffer[range]
        if dataType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
            throw .invalidBooleanByte(index: index, pointer: "/input", offset: 0)
        }
        if range.lowerBound % dataType.byteWidth == 0 {
            return Tensor(dataType, shape: shape, in: buffer, at: range.lowerBound)
        }
        let copy = try JSONTensor.allocate(dataType, shape)
        copy.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
        return copy
    }
}
