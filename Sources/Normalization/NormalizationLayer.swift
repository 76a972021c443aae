public import Tensors

/// A layer with its parameters, ready to normalize any number of tensors at the same time.
public protocol NormalizationLayer: Sendable {
    static var type: LayerType { get }

    /// Checks everything that can be checked without an input.
    init(_ parameters: LayerParameters) throws(LayerError)

    /// Checks the parameters against an input of this shape, and settles what is to be computed.
    func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan
}

extension NormalizationLayer {
    /// Normalizes `input`, whose elements are given up: the output stands in the same memory where its elements have
    /// the same width, else in new memory. Nothing is written before everything is known to be right.
    public func normalize(_ input: Tensor, into outputType: DataType) throws(LayerError) -> Tensor {
        try self.normalize(input, into: outputType, kernels: .current)
    }

    func normalize(_ input: Tensor, into outputType: DataType, kernels: KernelSet) throws(LayerError) -> Tensor {
        guard outputType.isFloatingPoint else { throw .unsupportedOutputType(outputType) }
        return try self.plan(for: input.shape).execute(on: input, into: outputType, kernels: kernels)
    }
}
