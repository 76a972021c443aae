public import Tensors

/// Normalizes each channel by statistics that were collected in training, or by those of this batch.
public struct BatchNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "batch_norm",
        summary: "Each channel by running statistics, or by the statistics of the batch.",
        formula: "y = (x − mean_c) / sqrt(var_c + eps) · weight_c + bias_c",
        source: "Ioffe and Szegedy 2015, arXiv:1502.03167; torch.nn.BatchNorm1d, 2d, 3d",
        parameters: [
            .required(.runningMean, .tensor, unless: .useBatchStatistics, "The mean of each channel."),
            .required(.runningVar, .tensor, unless: .useBatchStatistics, "The variance of each channel."),
            .channelWeight, .channelBias, .epsilon, .epsilonPlacement, .dataFormat,
            .optional(
                .useBatchStatistics,
                .boolean,
                default: .boolean(false),
                "Whether mean and variance are those of this batch, over samples and positions."
            ),
        ]
    )

    private let statistics: Statistics
    private let weight: Parameter?
    private let bias: Parameter?
    /// Must fit the input even where they are not used: a size that is wrong is a mistake.
    private let runningMean: Parameter?
    private let runningVar: Parameter?
    private let dataFormat: DataFormat

    private enum Statistics: Sendable {
        case frozen(FrozenRule)
        case batch(Epsilon)
    }

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        if try parameters.boolean(.useBatchStatistics) == true {
            self.statistics = .batch(try parameters.epsilon())
        } else {
            let statistics = try FrozenStatistics(parameters)
            self.statistics = .frozen(try FrozenRule(statistics, weight: self.weight, bias: self.bias))
        }
        self.runningMean = try parameters.parameter(.runningMean)
        self.runningVar = try parameters.parameter(.runningVar)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        for parameter in [self.weight, self.bias, self.runningMean, self.runningVar] {
            try layout.check(parameter)
        }
        switch self.statistics {
        case .frozen(let rule):
            return NormalizationPlan(.channels(ChannelComputation(layout, nil, rule)))
        case .batch(let epsilon):
            let rule = AffineRule(epsilon: epsilon, weight: self.weight, bias: self.bias)
            let statistics = ChannelStatistics(isAcrossSamples: true)
            return NormalizationPlan(.channels(ChannelComputation(layout, statistics, rule)))
        }
    }
}
