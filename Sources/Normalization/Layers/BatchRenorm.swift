public import Tensors

/// Normalizes each channel by running statistics, or by those of the batch corrected towards them.
public struct BatchRenorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "batch_renorm",
        summary: "Each channel by running statistics, or by the batch's corrected towards them.",
        formula: """
            y = (x − mean_c) / σ_c · weight_c + bias_c with σ_c = sqrt(var_c + eps); with use_batch_statistics \
            y = ((x − E[x]) / σ · r + d) · weight_c + bias_c with σ = sqrt(Var[x] + eps), \
            r = clip(σ / σ_c, 1 / r_max, r_max), d = clip((E[x] − mean_c) / σ_c, −d_max, d_max)
            """,
        source: "Ioffe 2017, arXiv:1702.03275",
        parameters: [
            .required(.runningMean, .tensor, "The mean of each channel."),
            .required(.runningVar, .tensor, unless: .runningStd, "The variance of each channel."),
            .optional(
                .runningStd,
                .tensor,
                "In place of running_var: σ of each channel, greater than 0, to which no eps is added."
            ),
            .channelWeight, .channelBias, .epsilon, .epsilonPlacement, .dataFormat,
            .optional(
                .useBatchStatistics,
                .boolean,
                default: .boolean(false),
                "Whether mean and variance are those of this batch, over samples and positions, corrected by r and d."
            ),
            .optional(.rMax, .real, default: .real(3), "What r is clipped to, and its inverse; at least 1."),
            .optional(.dMax, .real, default: .real(5), "What the magnitude of d is clipped to; at least 0."),
        ]
    )

    private let running: RunningStatistics
    private let weight: Parameter?
    private let bias: Parameter?
    private let dataFormat: DataFormat
    private let useBatchStatistics: Bool
    private let clipping: Clipping

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.running = try RunningStatistics(parameters)
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
        self.dataFormat = try parameters.dataFormat()
        self.useBatchStatistics = try parameters.boolean(.useBatchStatistics) == true
        self.clipping = Clipping(
            rMax: try parameters.real(.rMax, atLeast: 1),
            dMax: try parameters.real(.dMax, atLeast: 0)
        )
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        for parameter in [self.running.mean, self.running.spread, self.weight, self.bias] {
            try layout.check(parameter)
        }
        guard self.useBatchStatistics else {
            let rule = RunningRule(running: self.running, weight: self.weight, bias: self.bias)
            return NormalizationPlan(.channels(ChannelComputation(layout, nil, rule)))
        }
        let rule = CorrectedRule(
            running: self.running,
            clipping: self.clipping,
            weight: self.weight,
            bias: self.bias
        )
        return NormalizationPlan(.channels(ChannelComputation(layout, ChannelStatistics(isAcrossSamples: true), rule)))
    }
}

/// running_mean, and running_var or running_std.
private struct RunningStatistics {
    let mean: Parameter
    let spread: Parameter
    let isVariance: Bool
    let epsilon: Epsilon

    init(_ parameters: LayerParameters) throws(LayerError) {
        self.mean = try parameters.required(.runningMean)
        self.epsilon = try parameters.epsilon()
        switch (try parameters.parameter(.runningVar), try parameters.parameter(.runningStd)) {
        case (.some, .some): throw .conflictingParameters(.runningVar, .runningStd)
        case (nil, nil): throw .missingParameter(.runningVar, substitute: .runningStd)
        case (let variance?, nil):
            try variance.checkVariances(self.epsilon)
            self.spread = variance
            self.isVariance = true
        case (nil, let deviation?):
            try deviation.checkPositiveDeviations()
            self.spread = deviation
            self.isVariance = false
        }
    }

    /// σ from an element of `spread`; greater than zero.
    func deviation(_ spread: Double) -> Double {
        self.isVariance ? self.epsilon.deviation(variance: spread) : spread
    }
}

/// The bounds of r and d.
private struct Clipping {
    let rMax: Double
    let dMax: Double

    func r(_ ratio: Double) -> Double { Self.clip(ratio, 1 / self.rMax, self.rMax) }
    func d(_ distance: Double) -> Double { Self.clip(distance, -self.dMax, self.dMax) }

    /// NaN stays NaN.
    private static func clip(_ number: Double, _ least: Double, _ most: Double) -> Double {
        number < least ? least : number > most ? most : number
    }
}

/// (x − μ)/σ·γ + β
private struct RunningRule: ChannelRule {
    let running: RunningStatistics
    let weight: Parameter?
    let bias: Parameter?

    var parameters: [ChannelParameter] {
        [
            ChannelParameter(self.running.mean), ChannelParameter(self.running.spread),
            ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias),
        ]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (means, spreads) = (block.parameters[0], block.parameters[1])
        let (weights, biases) = (block.parameters[2], block.parameters[3])
        for index in 0..<block.count {
            transforms.means[index] = means[index]
            transforms.remainders[index] = 0
            transforms.scales[index] = weights[index] / self.running.deviation(spreads[index])
            transforms.shifts[index] = biases[index]
        }
    }
}

/// ((x − μ_B)/σ_B·r + d)·γ + β
private struct CorrectedRule: ChannelRule {
    let running: RunningStatistics
    let clipping: Clipping
    let weight: Parameter?
    let bias: Parameter?

    var parameters: [ChannelParameter] {
        [
            ChannelParameter(self.running.mean), ChannelParameter(self.running.spread),
            ChannelParameter(self.weight, default: 1), ChannelParameter(self.bias),
        ]
    }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (means, spreads) = (block.parameters[0], block.parameters[1])
        let (weights, biases) = (block.parameters[2], block.parameters[3])
        let batch = block.statistics
        for index in 0..<block.count {
            let (mean, remainder) = (batch.means[index], batch.remainders[index])
            let sigma = self.running.epsilon.deviation(variance: batch.spreads[index])
            let runningSigma = self.running.deviation(spreads[index])
            let r = self.clipping.r(sigma / runningSigma)
            let d = self.clipping.d(((mean - means[index]) + remainder) / runningSigma)
            transforms.means[index] = mean
            if sigma == 0 {
                // All elements are the mean: nothing but d is left.
                transforms.remainders[index] = remainder
                transforms.scales[index] = 0
                transforms.shifts[index] = d * weights[index] + biases[index]
            } else {
                // d as a distance moves the mean: where nothing is clipped, to the running mean.
                transforms.remainders[index] = remainder - d * (sigma / r)
                transforms.scales[index] = r / sigma * weights[index]
                transforms.shifts[index] = biases[index]
            }
        }
    }
}

extension LayerParameters {
    /// A number, whose default is in place, that has a lower bound.
    fileprivate func real(_ name: ParameterName, atLeast minimum: Double) throws(LayerError) -> Double {
        guard let number = try self.real(name) else { throw .missingParameter(name) }
        guard number >= minimum else { throw .lessThanMinimum(name, number, minimum: minimum) }
        return number
    }
}
