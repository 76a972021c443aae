import Tensors

/// Where results go: the elements of a tensor, rounded to their type chunk by chunk if need be.
struct ElementSink<Scalar: ComputationScalar> {
    private let tensor: Tensor
    private let base: UnsafeMutableRawPointer
    private let convert: (@Sendable (UnsafePointer<Scalar>, UnsafeMutableRawPointer, Int) -> Void)?
    private let scratch: Vector<Scalar>?

    init(_ tensor: Tensor, kernels: Kernels<Scalar>) throws(LayerError) {
        self.tensor = tensor
        self.base = tensor.buffer.baseAddress + tensor.byteOffset
        self.convert = kernels.writing[tensor.dataType]
        precondition(self.convert != nil || tensor.dataType == Scalar.dataType, "every output type can be written")
        self.scratch = self.convert == nil ? nil : try Vector(count: ElementSource<Scalar>.convertedChunkLength)
    }

    /// How many elements `destination` takes at once.
    var chunkLength: Int { self.convert == nil ? .max : ElementSource<Scalar>.convertedChunkLength }

    /// Where an element stands.
    func address(of element: Int) -> UnsafeMutableRawPointer {
        self.base + element * self.tensor.dataType.byteWidth
    }

    /// Where the results of a range go before they are committed.
    func destination(_ range: Range<Int>) -> UnsafeMutablePointer<Scalar> {
        self.scratch?.pointer ?? self.base.assumingMemoryBound(to: Scalar.self) + range.lowerBound
    }

    /// Puts the results of a range into the tensor, if they are not there yet.
    func commit(_ range: Range<Int>) {
        guard let convert, let scratch else { return }
        convert(scratch.pointer, self.address(of: range.lowerBound), range.count)
    }
}
