import AlignedMemory
import Tensors

extension Tensor {
    /// The elements of a floating tensor as FP32 or FP64 in memory that stays, each rounded once; the tensor itself where
    /// it has that type already, or is not floating.
    func kept(as dataType: DataType) throws(AllocationError) -> Tensor {
        guard self.dataType.isFloatingPoint, self.dataType != dataType else { return self }
        defer { withExtendedLifetime(self.buffer) {} }
        let copy = try Self.keeping(dataType, self.shape)
        for index in 0..<self.shape.elementCount {
            let element = self.floatingElement(at: index)
            if dataType == .fp64 {
                copy.elements(as: Double.self)[index] = element
            } else {
                copy.elements(as: Float.self)[index] = Float(element)
            }
        }
        return copy
    }

    /// An element of one of the four floating types; exact.
    private func floatingElement(at index: Int) -> Double {
        switch self.dataType {
        case .fp64: self.elements(as: Double.self)[index]
        case .fp32: Double(self.elements(as: Float.self)[index])
        case .fp16: Double(self.elements(as: Float16.self)[index])
        case .bf16: Double(Float(self.elements(as: BFloat16.self)[index]))
        default: preconditionFailure("the type is a floating one")
        }
    }
}
