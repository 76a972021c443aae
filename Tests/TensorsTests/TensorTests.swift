import AlignedMemory
import Tensors
import Testing

@Suite struct TensorTests {
    @Test(arguments: DataType.allCases)
    func aNewTensorIsAlignedAndHoldsItsElements(dataType: DataType) throws {
        let tensor = try Tensor(uninitialized: dataType, shape: Shape([3, 5]))
        #expect(tensor.byteCount == 15 * dataType.byteWidth)
        #expect(tensor.bytes.count == tensor.byteCount)
        #expect(Int(bitPattern: tensor.bytes.baseAddress) % AlignedBuffer.alignment == 0)
    }

    @Test func aViewSharesTheBuffer() throws {
        let buffer = try AlignedBuffer(capacity: 64)
        let tensor = Tensor(.fp32, shape: try Shape([2]), in: buffer, at: 8)
        tensor.elements(as: Float.self)[1] = 1.5
        #expect(buffer[12..<16].loadUnaligned(as: Float.self) == 1.5)
        #expect(tensor.byteRange == 8..<16)
    }

    @Test func aTensorLargerThanMemoryIsAnError() throws {
        let shape = try Shape([1 << 61])
        #expect(throws: AllocationError.self) { try Tensor(uninitialized: .fp64, shape: shape) }
    }

    @Test(arguments: [(DataType.fp16, 2), (.bf16, 2), (.fp32, 4), (.fp64, 8), (.bool, 1), (.int64, 8)])
    func widths(dataType: DataType, width: Int) {
        #expect(dataType.byteWidth == width)
        #expect(dataType.isFloatingPoint == dataType.rawValue.contains("F"))
    }
}
