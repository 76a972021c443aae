public import Tensors

/// Weighs the channels of each sample by how large they are beside each other, and adds the input.
public struct GlobalResponseNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "global_response_norm",
        summary: "Each channel of each sample by its norm beside those of the others, added to the input.",
        formula:
            "y = weight_c · x · g_c / (E[g] + eps) + bias_c + x, g_c = ‖x_c‖₂ over the positions, E over the channels",
        source: "Woo et al. 2023, arXiv:2301.00808 (ConvNeXt V2)",
        parameters: [.channelWeight, .channelBias, .epsilon(1e-6), .dataFormat]
    )

    private let weight: Parameter?
    private let bias: Parameter?
    private let epsilon: Epsilon
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.epsilon = try parameters.epsilon(placed: .standardDeviation)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        try layout.check(self.weight)
        try layout.check(self.bias)
        let rule = CompetitionRule(
            weight: self.weight,
            bias: self.bias,
            epsilon: self.epsilon.value,
            positionCount: layout.positionCount
        )
        let statistics = ChannelStatistics(kind: .meanSquare, summary: .meanNorm)
        return NormalizationPlan(.channels(ChannelComputation(layout, statistics, rule)))
    }
}

private struct CompetitionRule: ChannelRule {
    let weight: Parameter?
    let bias: Parameter?
    let epsilon: Double
    let positionCount: Int

    var parameters: [ChannelParameter] { [ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias)] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (weights, biases) = (block.parameters[0], block.parameters[1])
        for index in 0..<block.count {
            let denominator = block.samples.means[index] + self.epsilon
            // A sample of zeros has no channel that stands out.
            let inverse = denominator == 0 ? 0 : 1 / denominator
            let norm = (block.statistics.spreads[index] * Double(self.positionCount)).squareRoot()
            transforms.means[index] = 0
            transforms.remainders[index] = 0
            transforms.scales[index] = weights[index] * (norm * inverse) + 1
            transforms.shifts[index] = biases[index]
        }
    }
}
