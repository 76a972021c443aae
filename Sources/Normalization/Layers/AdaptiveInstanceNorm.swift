public import Tensors

/// Gives each channel of each sample the mean and the standard deviation of a style.
public struct AdaptiveInstanceNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "adaptive_instance_norm",
        summary: "Each channel of each sample, given the mean and the standard deviation of a style.",
        formula: "y = style_std_c · (x − E[x]) / sqrt(Var[x] + eps) + style_mean_c",
        source: "Huang and Belongie 2017, arXiv:1703.06868",
        parameters: [
            .required(.styleMean, .tensor, unless: .style, "The style's mean, per channel or (N, C)."),
            .required(
                .styleStd,
                .tensor,
                unless: .style,
                "The style's standard deviation, per channel or (N, C); not negative."
            ),
            .optional(
                .style,
                .tensor,
                """
                In place of both: a tensor laid out as the input, of one sample or as many, the same channels and any \
                positions; its mean, and sqrt(Var + eps), are taken.
                """
            ),
            .epsilon, .epsilonPlacement, .dataFormat,
        ]
    )

    private let style: Style
    private let epsilon: Epsilon
    private let dataFormat: DataFormat

    private enum Style: Sendable {
        case statistics(mean: Parameter, deviation: Parameter)
        case tensor(Tensor)
    }

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.epsilon = try parameters.epsilon()
        self.dataFormat = try parameters.dataFormat()
        if let style = try parameters.tensor(.style) {
            for name in [ParameterName.styleMean, .styleStd] where try parameters.tensor(name) != nil {
                throw .conflictingParameters(.style, name)
            }
            self.style = .tensor(style)
        } else {
            let deviation = try parameters.required(.styleStd)
            try deviation.checkDeviations()
            self.style = .statistics(mean: try parameters.required(.styleMean), deviation: deviation)
        }
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout = try ChannelLayout(shape, self.dataFormat)
        let rule: StyleRule
        switch self.style {
        case .statistics(let mean, let deviation):
            rule = StyleRule(
                mean: try layout.styleParameter(mean),
                spread: try layout.styleParameter(deviation),
                isVariance: false,
                epsilon: self.epsilon
            )
        case .tensor(let style):
            let styleLayout = try layout.styleLayout(of: style, self.dataFormat)
            guard style.shape.elementCount > 0 else {
                // Then so has the input.
                let nothing = ChannelParameter(nil)
                rule = StyleRule(mean: nothing, spread: nothing, isVariance: true, epsilon: self.epsilon)
                break
            }
            let moments = try ChannelComputation.moments(of: style, styleLayout)
            let isPerSample = styleLayout.sampleCount > 1
            rule = StyleRule(
                mean: ChannelParameter(Parameter(name: .style, tensor: moments.means), isPerSample: isPerSample),
                spread: ChannelParameter(
                    Parameter(name: .style, tensor: moments.variances),
                    isPerSample: isPerSample
                ),
                isVariance: true,
                epsilon: self.epsilon
            )
        }
        return NormalizationPlan(.channels(ChannelComputation(layout, ChannelStatistics(), rule)))
    }
}

private struct StyleRule: ChannelRule {
    let mean: ChannelParameter
    let spread: ChannelParameter

    /// Whether `spread` is a variance, to which eps is added, and not a standard deviation.
    let isVariance: Bool

    let epsilon: Epsilon

    var parameters: [ChannelParameter] { [self.mean, self.spread] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (means, spreads) = (block.parameters[0], block.parameters[1])
        for index in 0..<block.count {
            let spread = spreads[index]
            let deviation = self.isVariance ? self.epsilon.deviation(variance: spread) : spread
            transforms.means[index] = block.statistics.means[index]
            transforms.remainders[index] = block.statistics.remainders[index]
            transforms.scales[index] = deviation * self.epsilon.scale(variance: block.statistics.spreads[index])
            transforms.shifts[index] = means[index]
        }
    }
}

extension ChannelLayout {
    /// Holds a parameter of shape (C) or (N, C) against this input.
    fileprivate func styleParameter(_ parameter: Parameter) throws(LayerError) -> ChannelParameter {
        // Without channels only the shape tells (N, C) from (C).
        let isEmptyPerSample = parameter.tensor.shape.dimensions == [self.sampleCount, 0]
        if parameter.count == self.channelCount, !isEmptyPerSample {
            try parameter.checkShape([self.channelCount])
            return ChannelParameter(parameter)
        }
        guard parameter.count == self.sampleCount * self.channelCount else {
            throw .styleCountMismatch(
                parameter.name,
                elementCount: parameter.count,
                channelCount: self.channelCount,
                sampleCount: self.sampleCount
            )
        }
        try parameter.checkShape([self.sampleCount, self.channelCount])
        return ChannelParameter(parameter, isPerSample: true)
    }

    /// Holds a style against this input.
    fileprivate func styleLayout(of style: Tensor, _ format: DataFormat) throws(LayerError) -> ChannelLayout {
        guard Self.supportedRanks.contains(style.shape.rank) else {
            throw .unsupportedStyleRank(style.shape.rank, supported: Self.supportedRanks)
        }
        let layout = try ChannelLayout(style.shape, format)
        guard layout.sampleCount == 1 || layout.sampleCount == self.sampleCount else {
            throw .styleSampleCountMismatch(layout.sampleCount, sampleCount: self.sampleCount)
        }
        guard layout.channelCount == self.channelCount else {
            throw .styleChannelCountMismatch(
                layout.channelCount,
                axis: layout.channelAxis,
                channelCount: self.channelCount
            )
        }
        guard layout.positionCount > 0 else { throw .emptyStyle(style.shape) }
        return layout
    }
}
