public import AlignedMemory
public import Tensors

/// One tensor in a safetensors file: what it is and where it stands.
public struct SafetensorsEntry: Equatable, Sendable {
    public let name: String
    public let type: SafetensorsDataType
    public let shape: Shape

    /// Where its bytes stand, counted from the beginning of the file.
    public let byteRange: Range<Int>

    /// The tensor, in a file that begins at `fileOffset` of `buffer`: a view where its elements happen to be aligned
    /// there, else a copy.
    ///
    /// One of a type that no tensor here has is an error, and so is one of more than `elementLimit` elements.
    public func tensor(
        in buffer: AlignedBuffer,
        at fileOffset: Int,
        elementLimit: Int = .max
    ) throws(TensorFormatError) -> Tensor {
        let start = fileOffset + self.byteRange.lowerBound
        let bytes = UnsafeRawBufferPointer(buffer[start..<start + self.byteRange.count])
        let dataType = try self.checkedDataType(of: bytes, elementLimit: elementLimit)
        guard start % dataType.byteWidth == 0 else { return try self.copy(of: bytes, dataType) }
        return Tensor(dataType, shape: self.shape, in: buffer, at: start)
    }

    /// The tensor as a copy, from the bytes of the whole file.
    public func tensor(
        copiedFrom file: UnsafeRawBufferPointer,
        elementLimit: Int = .max
    ) throws(TensorFormatError) -> Tensor {
        let bytes = UnsafeRawBufferPointer(rebasing: file[self.byteRange])
        return try self.copy(of: bytes, try self.checkedDataType(of: bytes, elementLimit: elementLimit))
    }

    private func checkedDataType(
        of bytes: UnsafeRawBufferPointer,
        elementLimit: Int
    ) throws(TensorFormatError) -> DataType {
        guard let dataType = self.type.dataType else {
            throw .safetensors(.unsupportedDataType(tensor: self.name, self.type))
        }
        guard self.shape.elementCount <= elementLimit else {
            throw .tooManyElements(
                self.shape.elementCount,
                limit: elementLimit,
                pointer: self.pointer,
                offset: self.byteRange.lowerBound
            )
        }
        if dataType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
            throw .invalidBooleanByte(index: index, pointer: self.pointer, offset: self.byteRange.lowerBound)
        }
        return dataType
    }

    private func copy(
        of bytes: UnsafeRawBufferPointer,
        _ dataType: DataType
    ) throws(TensorFormatError) -> Tensor {
        let copy = try JSONTensor.allocate(dataType, self.shape)
        copy.bytes.copyMemory(from: bytes)
        return copy
    }

    /// Makes sure that the bytes are as many as the type and the shape need.
    func checkSize() throws(TensorFormatError) {
        let (bitCount, overflow) = self.shape.elementCount.multipliedReportingOverflow(by: self.type.bitWidth)
        guard overflow || bitCount % 8 == 0 else { throw .safetensors(.partialByte(tensor: self.name)) }
        guard !overflow, bitCount / 8 == self.byteRange.count else {
            throw .safetensors(
                .sizeMismatch(
                    tensor: self.name,
                    byteCount: self.byteRange.count,
                    needed: overflow ? nil : bitCount / 8
                )
            )
        }
    }

    private var pointer: String { "/" + JSONPointer.escaped(self.name) }
}
