public import Tensors

/// Normalizes groups of neighbouring channels of each sample over those channels and their positions.
public struct GroupNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "group_norm",
        summary: "Each group of channels of each sample over its channels and positions.",
        formula: "y = (x − E[x]) / sqrt(Var[x] + eps) · weight_c + bias_c",
        source: "Wu and He 2018, arXiv:1803.08494; torch.nn.GroupNorm",
        parameters: [
            .required(.groupCount, .integer, "How many groups; divides the number of channels."),
            .channelWeight, .channelBias, .epsilon, .epsilonPlacement, .dataFormat,
        ]
    )

    private let groupCount: Int
    private let epsilon: Epsilon
    private let weight: Parameter?
    private let bias: Parameter?
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        guard let groupCount = try parameters.integer(.groupCount) else { throw .missingParameter(.groupCount) }
        guard groupCount >= 1 else { throw .invalidGroupCount(groupCount) }
        self.groupCount = groupCount
        self.epsilon = try parameters.epsilon()
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        guard layout.channelCount % self.groupCount == 0 else {
            throw .groupCountDoesNotDivide(self.groupCount, channelCount: layout.channelCount)
        }
        try layout.check(self.weight)
        try layout.check(self.bias)
        let rule = AffineRule(epsilon: self.epsilon, weight: self.weight, bias: self.bias)
        let statistics = ChannelStatistics(channelsPerGroup: max(1, layout.channelCount / self.groupCount))
        return NormalizationPlan(.channels(ChannelComputation(layout, statistics, rule)))
    }
}
