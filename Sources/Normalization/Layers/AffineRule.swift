/// (x − E[x]) / sqrt(Var[x] + eps) · γ + β by the statistics that were taken, about the mean or about zero: what most
/// layers do.
struct AffineRule: ChannelRule {
    let epsilon: Epsilon
    let weight: Parameter?
    let bias: Parameter?

    var parameters: [ChannelParameter] {
        [ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias)]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (weight, bias) = (block.parameters[0], block.parameters[1])
        block.inverseDeviations(block.statistics.spreads, self.epsilon, into: transforms.scales)
        for index in 0..<block.count {
            transforms.means[index] = block.statistics.means[index]
            transforms.remainders[index] = block.statistics.remainders[index]
            transforms.scales[index] *= weight[index]
            transforms.shifts[index] = bias[index]
        }
    }
}
