public import Tensors

/// Normalizes each channel of each sample over its positions.
public struct InstanceNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "instance_norm",
        summary: "Each channel of each sample over its positions, or by running statistics.",
        formula: "y = (x − E[x]) / sqrt(Var[x] + eps) · weight_c + bias_c",
        source: "Ulyanov, Vedaldi and Lempitsky 2016, arXiv:1607.08022; torch.nn.InstanceNorm1d, 2d, 3d",
        parameters: [
            .channelWeight, .channelBias, .epsilon, .epsilonPlacement, .dataFormat,
            .optional(.runningMean, .tensor, "The mean of each channel, for use_running_statistics."),
            .optional(.runningVar, .tensor, "The variance of each channel, for use_running_statistics."),
            .optional(
                .useRunningStatistics,
                .boolean,
                default: .boolean(false),
                "Whether running_mean and running_var replace the sample's own statistics."
            ),
        ]
    )

    private let running: FrozenStatistics?
    private let epsilon: Epsilon
    private let weight: Parameter?
    private let bias: Parameter?
    /// Must fit the input even where they are not used: a size that is wrong is a mistake.
    private let runningMean: Parameter?
    private let runningVar: Parameter?
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.running =
            try parameters.boolean(.useRunningStatistics) == true ? try FrozenStatistics(parameters) : nil
        self.epsilon = try parameters.epsilon()
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.runningMean = try parameters.parameter(.runningMean)
        self.runningVar = try parameters.parameter(.runningVar)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        for parameter in [self.weight, self.bias, self.runningMean, self.runningVar] {
            try layout.check(parameter)
        }
        let computation: NormalizationPlan.Computation
        if let running = self.running {
            computation = .frozen(layout, running)
        } else if layout.positionCount == 1 {
            computation = .withoutSpread(layout)
        } else {
            let groups = ChannelGroups(channelsPerGroup: 1, acrossSamples: false, epsilon: self.epsilon)
            computation = .grouped(layout, groups)
        }
        return NormalizationPlan(computation: computation, weight: self.weight, bias: self.bias)
    }
}
