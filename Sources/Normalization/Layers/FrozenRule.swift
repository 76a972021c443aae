import AlignedMemory
import Tensors

/// (x − mean) / sqrt(var + eps) · γ + β by statistics that were collected before.
struct FrozenRule: ChannelRule {
    private let mean: Parameter

    /// γ / sqrt(var + eps) of each channel in FP64: the same for every input, and so computed once with the layer.
    private let scales: Parameter

    private let bias: Parameter?

    /// - Parameter weight: one element for each of the statistics; the layer checks that before the rule is used.
    init(_ statistics: FrozenStatistics, weight: Parameter?, bias: Parameter?) throws(LayerError) {
        self.mean = statistics.mean
        self.scales = try Self.scales(statistics, weight)
        self.bias = bias
    }

    private static func scales(_ statistics: FrozenStatistics, _ weight: Parameter?) throws(LayerError) -> Parameter {
        let tensor: Tensor
        do throws(AllocationError) {
            tensor = try Tensor(uninitialized: .fp64, shape: statistics.variance.tensor.shape)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
        guard let scales = tensor.elements(as: Double.self).baseAddress else {
            return Parameter(name: statistics.variance.name, tensor: tensor)
        }
        let kernels = KernelSet.current.double
        let epsilon = statistics.epsilon
        var variances = try ElementSource<Double>(statistics.variance.tensor, kernels: kernels)
        for chunk in variances.chunks(of: 0..<statistics.variance.count) {
            kernels.inverseDeviations(
                variances.load(chunk),
                scales + chunk.lowerBound,
                chunk.count,
                epsilon.varianceTerm,
                epsilon.deviationTerm
            )
        }
        if let weight {
            var weights = try ElementSource<Double>(weight.tensor, kernels: kernels)
            for chunk in weights.chunks(of: 0..<min(weight.count, statistics.variance.count)) {
                let factors = weights.load(chunk)
                for index in 0..<chunk.count {
                    scales[chunk.lowerBound + index] *= factors[index]
                }
            }
        }
        return Parameter(name: statistics.variance.name, tensor: tensor)
    }

    var parameters: [ChannelParameter] {
        [ChannelParameter(self.mean), ChannelParameter(self.scales), ChannelParameter(self.bias)]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        for index in 0..<block.count {
            transforms.means[index] = block.parameters[0][index]
            transforms.remainders[index] = 0
            transforms.scales[index] = block.parameters[1][index]
            transforms.shifts[index] = block.parameters[2][index]
        }
    }
}
