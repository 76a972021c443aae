import Glibc
public import Tensors

/// Normalizes by a learnt mixture of the statistics of instance, layer and batch normalization.
public struct SwitchableNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "switchable_norm",
        summary: "Each channel by a learnt mixture of instance, layer and running statistics.",
        formula: """
            y = (x − Σ w_k · mean_k) / sqrt(Σ v_k · var_k + eps) · weight_c + bias_c, w = softmax(mean_weight), \
            v = softmax(var_weight), k over instance, layer and batch
            """,
        source: "Luo, Ren, Peng, Zhang and Li 2018, arXiv:1806.10779",
        parameters: [
            .required(.runningMean, .tensor, "The mean of each channel."),
            .required(.runningVar, .tensor, "The variance of each channel."),
            .required(.meanWeight, .tensor, "The logits of instance, layer and batch among the means."),
            .required(.varWeight, .tensor, "The logits of instance, layer and batch among the variances."),
            .channelWeight, .channelBias, .epsilon, .epsilonPlacement, .dataFormat,
        ]
    )

    private let running: FrozenStatistics
    private let meanShares: Shares
    private let varianceShares: Shares
    private let weight: Parameter?
    private let bias: Parameter?
    private let dataFormat: DataFormat

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.running = try FrozenStatistics(parameters)
        self.meanShares = try Shares(try parameters.required(.meanWeight))
        self.varianceShares = try Shares(try parameters.required(.varWeight))
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.dataFormat = try parameters.dataFormat()
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        for parameter in [self.running.mean, self.running.variance, self.weight, self.bias] {
            try layout.check(parameter)
        }
        let rule = SwitchingRule(
            running: self.running,
            meanShares: self.meanShares,
            varianceShares: self.varianceShares,
            weight: self.weight,
            bias: self.bias
        )
        return NormalizationPlan(.channels(ChannelComputation(layout, ChannelStatistics(summary: .moments), rule)))
    }
}

/// What the statistics of instance, layer and batch have of a mixture; 1 in all.
private struct Shares {
    let instance: Double
    let layer: Double
    let batch: Double

    /// The softmax of three logits.
    init(_ logits: Parameter) throws(LayerError) {
        try logits.checkCount(3)
        try logits.checkShape([3])
        let elements = try logits.elements()
        // Nothing overflows, and one of the terms is 1.
        let largest = max(elements[0], elements[1], elements[2])
        let terms = elements.map { exp($0 - largest) }
        let sum = terms[0] + terms[1] + terms[2]
        self.instance = terms[0] / sum
        self.layer = terms[1] / sum
        self.batch = terms[2] / sum
    }
}

private struct SwitchingRule: ChannelRule {
    let running: FrozenStatistics
    let meanShares: Shares
    let varianceShares: Shares
    let weight: Parameter?
    let bias: Parameter?

    var parameters: [ChannelParameter] {
        [
            ChannelParameter(self.running.mean), ChannelParameter(self.running.variance),
            ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias),
        ]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (means, variances) = (block.parameters[0], block.parameters[1])
        let (weights, biases) = (block.parameters[2], block.parameters[3])
        let (instance, layer) = (block.statistics, block.samples)
        for index in 0..<block.count {
            self.setMean(
                index,
                transforms,
                instance: (instance.means[index], instance.remainders[index]),
                layer: (layer.means[index], layer.remainders[index]),
                batch: means[index]
            )
            let variance =
                self.varianceShares.instance * instance.spreads[index]
                + self.varianceShares.layer * layer.spreads[index]
                + self.varianceShares.batch * variances[index]
            transforms.scales[index] = self.running.epsilon.scale(variance: variance) * weights[index]
            transforms.shifts[index] = biases[index]
        }
    }

    /// Moves the heaviest of the means towards the others, so that it remains as it is where it is the only one.
    private func setMean(
        _ index: Int,
        _ transforms: ChannelTransforms,
        instance: (mean: Double, remainder: Double),
        layer: (mean: Double, remainder: Double),
        batch: Double
    ) {
        let shares = self.meanShares
        var base = shares.layer > shares.instance ? layer : instance
        if shares.batch > max(shares.instance, shares.layer) {
            base = (batch, 0)
        }
        let difference =
            shares.instance * ((instance.mean - base.mean) + (instance.remainder - base.remainder))
            + shares.layer * ((layer.mean - base.mean) + (layer.remainder - base.remainder))
            + shares.batch * ((batch - base.mean) - base.remainder)
        transforms.means[index] = base.mean
        transforms.remainders[index] = base.remainder + difference
    }
}
