public import Tensors

/// Divides each element by a response that its neighbouring channels share.
public struct LocalResponseNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "local_response_norm",
        summary: "Each element by a power of the mean square over neighbouring channels.",
        formula: "y_c = x_c / (k + alpha/size · Σ x_j²)^beta, j from c − size/2 to c + (size − 1)/2",
        source: "Krizhevsky, Sutskever and Hinton 2012; torch.nn.LocalResponseNorm; ONNX LRN",
        parameters: [
            .required(.size, .integer, "How many neighbouring channels are summed over; at least 1."),
            .optional(.alpha, .real, default: .real(1e-4), "What the mean square is multiplied by; not negative."),
            .optional(.beta, .real, default: .real(0.75), "The exponent."),
            .optional(.k, .real, default: .real(1), "What is added to the mean square; greater than 0."),
            .dataFormat,
        ]
    )

    private let size: Int
    private let alpha: Double
    private let beta: Double
    private let k: Double
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        guard let size = try parameters.integer(.size) else { throw .missingParameter(.size) }
        guard size >= 1 else { throw .lessThanMinimum(.size, Double(size), minimum: 1) }
        self.size = size
        self.alpha = try parameters.finite(.alpha)
        guard self.alpha >= 0 else { throw .lessThanMinimum(.alpha, self.alpha, minimum: 0) }
        self.beta = try parameters.finite(.beta)
        self.k = try parameters.finite(.k)
        guard self.k > 0 else { throw .notPositive(.k, self.k) }
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        return NormalizationPlan(
            .neighbours(
                NeighbourComputation(
                    layout,
                    before: self.size / 2,
                    after: (self.size - 1) / 2,
                    alpha: self.alpha / Double(self.size),
                    beta: self.beta,
                    k: self.k
                )
            )
        )
    }
}

extension LayerParameters {
    /// A number whose default is in place, and which must be finite.
    fileprivate func finite(_ name: ParameterName) throws(LayerError) -> Double {
        guard let number = try self.real(name) else { throw .missingParameter(name) }
        guard number.isFinite else { throw .notFinite(name) }
        return number
    }
}
