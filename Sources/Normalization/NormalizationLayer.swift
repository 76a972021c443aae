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
    ///
    /// - Parameter threadCount: how many threads may work on it at most. The result is the same, bit for bit.
    public func normalize(
        _ input: Tensor,
        into outputType: DataType,
        threadCount: Int = 1
    ) throws(LayerError) -> NormalizedTensor {
        try self.normalize(input, into: outputType, threadCount: threadCount, kernels: .current)
    }

    func normalize(
        _ input: Tensor,
        into outputType: DataType,
        threadCount: Int = 1,
        kernels: KernelSet
    ) throws(LayerError) -> NormalizedTensor {
        guard outputType.isFloatingPoint else { throw .unsupportedOutputType(outputType) }
        return try self.plan(for: input.shape)
            .execute(on: input, into: outputType, threadCount: threadCount, kernels: kernels)
    }
}
