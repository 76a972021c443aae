/// (x − mean) / sqrt(var + eps) · γ + β by statistics that were collected before.
struct FrozenRule: ChannelRule {
    private let statistics: FrozenStatistics
    private let weight: Parameter?
    private let bias: Parameter?

    init(_ statistics: FrozenStatistics, weight: Parameter?, bias: Parameter?) {
        self.statistics = statistics
        self.weight = weight
        self.bias = bias
    }

    var parameters: [ChannelParameter] {
        [
            ChannelParameter(self.statistics.mean), ChannelParameter(self.statistics.variance),
            ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias),
        ]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (mean, variance) = (block.parameters[0], block.parameters[1])
        let (weight, bias) = (block.parameters[2], block.parameters[3])
        block.inverseDeviations(variance, self.statistics.epsilon, into: transforms.scales)
        for index in 0..<block.count {
            transforms.means[index] = mean[index]
            transforms.remainders[index] = 0
            transforms.scales[index] *= weight[index]
            transforms.shifts[index] = bias[index]
        }
    }
}
