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
        let rule = ResponseRule(
            weight: self.weight,
            bias: self.bias,
            threshold: self.threshold,
            epsilon: self.epsilon
        )
        let statistics = ChannelStatistics(kind: .meanSquare)
        let hasMinimum = self.threshold != nil
        return NormalizationPlan(.channels(ChannelComputation(layout, statistics, rule, hasMinimum: hasMinimum)))
    }
}

private struct ResponseRule: ChannelRule {
    let weight: Parameter?
    let bias: Parameter?
    let threshold: Parameter?
    let epsilon: Epsilon

    var parameters: [ChannelParameter] {
        [ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias)]
            + (self.threshold.map { [ChannelParameter($0)] } ?? [])
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (weights, biases) = (block.parameters[0], block.parameters[1])
        for index in 0..<block.count {
            transforms.means[index] = 0
            transforms.remainders[index] = 0
            transforms.scales[index] =
                self.epsilon.scale(variance: block.statistics.spreads[index]) * weights[index]
            transforms.shifts[index] = biases[index]
        }
        guard self.threshold != nil else { return }
        for index in 0..<block.count {
            transforms.minimums[index] = block.parameters[2][index]
        }
    }
}
