public import Tensors

/// Normalizes each output filter of a weight, which is the input.
public struct WeightStandardization: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "weight_standardization",
        summary: "Each output filter of a weight over all its elements.",
        formula: "y = gain_i · (x − E[x]) / sqrt(Var[x] + eps), E and Var over all axes but the first",
        source: "Qiao, Wang, Liu, Shen and Yuille 2019, arXiv:1903.10520",
        parameters: [
            .optional(.gain, .tensor, "What each filter is multiplied by; 1 where absent."),
            .epsilon, .epsilonPlacement,
        ]
    )

    private let gain: Parameter?
    private let epsilon: Epsilon

    private static let supportedRanks = 2...5

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.gain = try parameters.parameter(.gain)
        self.epsilon = try parameters.epsilon()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        guard Self.supportedRanks.contains(shape.rank) else {
            throw .unsupportedRank(shape.rank, supported: Self.supportedRanks)
        }
        let filters = try InputAxis(0, of: shape, .dim)
        try filters.checkCount(self.gain)
        try self.gain?.checkShape([filters.length])
        let rule = AffineRule(epsilon: self.epsilon, weight: self.gain, bias: nil)
        return NormalizationPlan(.channels(ChannelComputation(filters.channels, ChannelStatistics(), rule)))
    }
}
