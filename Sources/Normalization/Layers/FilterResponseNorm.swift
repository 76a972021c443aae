public import Tensors

/// Divides each channel of each sample by its root mean square over the positions, with a learnt threshold.
public struct FilterResponseNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "filter_response_norm",
        summary: "Each channel of each sample by its root mean square over the positions, with a learnt threshold.",
        formula: "y = max(x / sqrt(E[x²] + eps) · weight_c + bias_c, tau_c)",
        source: "Singh and Krishnan 2019, arXiv:1911.09737",
        parameters: [
            .channelWeight, .channelBias,
            .optional(.tau, .tensor, "τ, the least result, one per channel; none where absent."),
            .epsilon(1e-6), .dataFormat,
        ]
    )

    private let weight: Parameter?
    private let bias: Parameter?
    private let threshold: Parameter?
    private let epsilon: Epsilon
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.threshold = try parameters.parameter(.tau)
        self.epsilon = try parameters.epsilon(placed: .variance)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        for parameter in [self.weight, self.bias, self.threshold] {
            try layout.check(parameter)
        }
        let scaling = AffineRule(epsilon: self.epsilon, weight: self.weight, bias: self.bias)
        let statistics = ChannelStatistics(kind: .meanSquare)
        guard let threshold = self.threshold else {
            return NormalizationPlan(.channels(ChannelComputation(layout, statistics, scaling)))
        }
        let rule = ThresholdRule(scaling: scaling, threshold: threshold)
        return NormalizationPlan(.channels(ChannelComputation(layout, statistics, rule, hasMinimum: true)))
    }
}

/// What `scaling` does, raised to the thresholds.
private struct ThresholdRule: ChannelRule {
    let scaling: AffineRule
    let threshold: Parameter

    var parameters: [ChannelParameter] { self.scaling.parameters + [ChannelParameter(self.threshold)] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        self.scaling.fill(transforms, for: block)
        let thresholds = block.parameters[self.scaling.parameters.count]
        transforms.minimums.update(from: thresholds, count: block.count)
    }
}
