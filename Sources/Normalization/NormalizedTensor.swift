public import Tensors

/// What a layer made of an input.
public struct NormalizedTensor: Sendable {
    public let output: Tensor

    /// The largest singular value that spectral_norm divided by; nothing for any other layer.
    public let sigma: Double?

    init(_ output: Tensor, sigma: Double? = nil) {
        self.output = output
        self.sigma = sigma
    }
}
