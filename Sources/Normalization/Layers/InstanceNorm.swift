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

    private let running: FrozenRule?
    private let epsilon: Epsilon
    private let weight: Parameter?
    private let bias: Parameter?
    /// Must fit the input even where they are not used: a size that is wrong is a mistake.
    private let runningMean: Parameter?
    private let runningVar: Parameter?
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.epsilon = try parameters.epsilon()
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        if try parameters.boolean(.useRunningStatistics) == true {
            let statistics = try FrozenStatistics(parameters)
            self.running = try FrozenRule(statistics, weight: self.weight, bias: self.bias)
        } else {
            self.running = nil
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
        if let running = self.running {
            return NormalizationPlan(.channels(ChannelComputation(layout, nil, running)))
        }
        if layout.positionCount == 1 {
            return NormalizationPlan(.channels(ChannelComputation(layout, nil, SpreadlessRule(bias: self.bias))))
        }
        let rule = AffineRule(epsilon: self.epsilon, weight: self.weight, bias: self.bias)
        return NormalizationPlan(.channels(ChannelComputation(layout, ChannelStatistics(), rule)))
    }
}

/// Single elements, each of which is its own mean: β remains, and what is not finite.
private struct SpreadlessRule: ChannelRule {
    let bias: Parameter?

    var parameters: [ChannelParameter] { [ChannelParameter(self.bias)] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        for index in 0..<block.count {
            transforms.means[index] = 0
            transforms.remainders[index] = 0
            // Zero times the element keeps NaN, and makes NaN of the infinite.
            transforms.scales[index] = 0
            transforms.shifts[index] = block.parameters[0][index]
        }
    }
}
