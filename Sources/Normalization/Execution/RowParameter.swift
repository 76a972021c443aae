import Tensors

/// A parameter with one element for each of a row, in the precision of the computation: where it stands, or converted.
struct RowParameter<Scalar: ComputationScalar> {
    private let tensor: Tensor?
    private let converted: Vector<Scalar>?
    let pointer: UnsafePointer<Scalar>

    /// Absent, it is all ones.
    init(_ parameter: Parameter?, _ count: Int, _ kernels: Kernels<Scalar>) throws(LayerError) {
        self.tensor = parameter?.tensor
        guard let tensor = parameter?.tensor else {
            let ones = try Vector<Scalar>(repeating: 1, count: count)
            self.converted = ones
            self.pointer = UnsafePointer(ones.pointer)
            return
        }
        let base = tensor.buffer.baseAddress + tensor.byteOffset
        if tensor.dataType == Scalar.dataType {
            self.converted = nil
            self.pointer = UnsafePointer(base.assumingMemoryBound(to: Scalar.self))
        } else {
            let vector = try Vector<Scalar>(count: count)
            if let read = kernels.reading[tensor.dataType] {
                read(base, vector.pointer, count)
            } else {
                // Wider than the computation: FP64, or integers that only FP64 holds.
                try parameter?.forEachElement { (element, index) in vector[index] = Scalar(element) }
            }
            self.converted = vector
            self.pointer = UnsafePointer(vector.pointer)
        }
    }
}
