public import Tensors

/// Bounds each element by a hyperbolic tangent in place of normalizing it by statistics.
public struct DynamicTanh: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "dynamic_tanh",
        summary: "The hyperbolic tangent of each scaled element, without statistics.",
        formula: "y = weight · tanh(alpha · x) + bias",
        source: "Zhu, Chen, He, LeCun and Liu 2025, arXiv:2503.10622",
        parameters: [
            .required(.alpha, .realOrTensor, "What each element is multiplied by first; one number."),
            .optional(.weight, .tensor, "γ, one per index along the last axis; 1 where absent."),
            .optional(.bias, .tensor, "β, one per index along the last axis; 0 where absent."),
        ]
    )

    private let alpha: Double
    private let weight: Parameter?
    private let bias: Parameter?

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        guard let alpha = try parameters.realOrElement(.alpha) else { throw .missingParameter(.alpha) }
        guard alpha.isFinite else { throw .notFinite(.alpha) }
        self.alpha = alpha
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let features = try InputAxis(-1, of: shape, .axis)
        for parameter in [self.weight, self.bias] {
            try features.checkCount(parameter)
            try parameter?.checkShape([features.length])
        }
        return NormalizationPlan(
            .tanh(
                TanhComputation(
                    featureCount: features.length,
                    alpha: self.alpha,
                    weight: self.weight,
                    bias: self.bias
                )
            )
        )
    }
}
