public import Tensors

/// Mixes batch normalization by running statistics with instance normalization, channel by channel.
public struct BatchInstanceNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "batch_instance_norm",
        summary: "Each channel by a mixture of running statistics and those of the sample.",
        formula: """
            y = (rho_c · (x − mean_c) / sqrt(var_c + eps) + (1 − rho_c) · (x − E[x]) / sqrt(Var[x] + eps)) \
            · weight_c + bias_c, E and Var over the positions of a channel of a sample
            """,
        source: "Nam and Kim 2018, arXiv:1805.07925",
        parameters: [
            .required(.runningMean, .tensor, "The mean of each channel."),
            .required(.runningVar, .tensor, "The variance of each channel."),
            .required(.rho, .tensor, "How much of each channel is batch normalized; from 0 to 1."),
            .channelWeight, .channelBias, .epsilon, .epsilonPlacement, .dataFormat,
        ]
    )

    private let running: FrozenStatistics
    private let rho: Parameter
    private let weight: Parameter?
    private let bias: Parameter?
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.running = try FrozenStatistics(parameters)
        self.rho = try parameters.required(.rho)
        try self.rho.checkProportions()
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        for parameter in [self.running.mean, self.running.variance, self.rho, self.weight, self.bias] {
            try layout.check(parameter)
        }
        let rule = MixingRule(running: self.running, rho: self.rho, weight: self.weight, bias: self.bias)
        return NormalizationPlan(.channels(ChannelComputation(layout, ChannelStatistics(), rule)))
    }
}

/// One scale about one mean: with a_B = ρ/σ_B and a_I = (1 − ρ)/σ_I, the sum of a_B·(x − μ_B) and a_I·(x − μ_I) is
/// (a_B + a_I)·(x − μ), where μ divides the way from μ_I to μ_B by those weights.
private struct MixingRule: ChannelRule {
    let running: FrozenStatistics
    let rho: Parameter
    let weight: Parameter?
    let bias: Parameter?

    var parameters: [ChannelParameter] {
        [
            ChannelParameter(self.running.mean), ChannelParameter(self.running.variance),
            ChannelParameter(self.rho), ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias),
        ]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (means, variances, rhos) = (block.parameters[0], block.parameters[1], block.parameters[2])
        let (weights, biases) = (block.parameters[3], block.parameters[4])
        let instance = block.statistics
        for index in 0..<block.count {
            let (mean, remainder) = (instance.means[index], instance.remainders[index])
            let batchScale = rhos[index] * self.running.epsilon.scale(variance: variances[index])
            let instanceScale = (1 - rhos[index]) * self.running.epsilon.scale(variance: instance.spreads[index])
            let scale = batchScale + instanceScale
            let distance = (means[index] - mean) - remainder
            if batchScale > instanceScale {
                // From the heavier mean, so that it remains as it is where it is the only one.
                transforms.means[index] = means[index]
                transforms.remainders[index] = -(instanceScale / scale) * distance
            } else {
                transforms.means[index] = mean
                transforms.remainders[index] = remainder + (scale == 0 ? 0 : batchScale / scale) * distance
            }
            transforms.scales[index] = scale * weights[index]
            transforms.shifts[index] = biases[index]
        }
    }
}
