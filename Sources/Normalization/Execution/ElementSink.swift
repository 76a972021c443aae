import Tensors

/// Where results go: the elements of a tensor, rounded to their type chunk by chunk if need be.
struct ElementSink<Scalar: ComputationScalar> {
    private let tensor: Tensor
    private let base: UnsafeMutableRawPointer
    private let convert: (@Sendable (UnsafePointer<Scalar>, UnsafeMutableRawPointer, Int) -> Void)?
    private let scratch: Vector<Scalar>

    init(_ tensor: Tensor, kernels: Kernels<Scalar>) throws(LayerError) {
        self.tensor = tensor
        self.base = tensor.buffer.baseAddress + tensor.byteOffset
        self.convert = kernels.writing[tensor.dataType]
        precondition(self.convert != nil || tensor.dataType == Scalar.dataType, "every output type can be written")
        self.scratch = try Vector(count: self.convert == nil ? 0 : ElementSource<Scalar>.convertedChunkLength)
    }

    /// How many elements `destination` takes at once.
    var chunkLength: Int { self.convert == nil ? .max : ElementSource<Scalar>.convertedChunkLength }

    /// Where an element stands.
    func address(of element: Int) -> UnsafeMutableRawPointer {
        self.base + element * self.tensor.dataType.byteWidth
    }

    /// Where the results of a range go before they are committed.
    func destination(_ range: Range<Int>) -> UnsafeMutablePointer<Scalar> {
        guard self.convert != nil else {
            return self.base.assumingMemoryBound(to: Scalar.self) + range.lowerBound
        }
        return self.scratch.pointer
    }

    /// Puts the results of a range into the tensor, if they are not there yet.
    func commit(_ range: Range<Int>) {
        self.convert?(
            self.scratch.pointer,
            self.base + range.lowerBound * self.tensor.dataType.byteWidth,
            range.count
        )
    }
}
