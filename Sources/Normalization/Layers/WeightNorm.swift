public import Tensors

/// Gives the vectors of a weight, which is the input, a length that is learnt apart from their direction.
public struct WeightNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "weight_norm",
        summary: "A weight, as directions of unit length times a learnt length.",
        formula: "y = weight_g · x / ‖x‖₂, the norm over all axes but dim",
        source: "Salimans and Kingma 2016, arXiv:1602.07868; torch.nn.utils.parametrizations.weight_norm",
        parameters: [
            .required(.weightG, .tensor, "The length of each vector, one per index along dim; one for null."),
            .optional(
                .dim,
                .integerOrNull,
                default: .integer(0),
                "The axis that counts the vectors; negative counts from the end. null: the whole tensor is one."
            ),
        ]
    )

    private let lengths: Parameter
    private let axis: Int?

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.lengths = try parameters.required(.weightG)
        self.axis = try parameters.integerOrNull(.dim)
        if self.axis == nil {
            try self.lengths.checkCount(1)
        }
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let layout: ChannelLayout
        if let axis = self.axis {
            let vectors = try InputAxis(axis, of: shape, .dim)
            try vectors.checkCount(self.lengths)
            layout = vectors.channels
        } else {
            try InputAxis.checkRank(of: shape)
            layout = ReducedAxes.allLayout(of: shape)
        }
        let rule = LengthRule(lengths: self.lengths, elementCount: layout.sampleCount * layout.positionCount)
        let statistics = ChannelStatistics(kind: .meanSquare, isAcrossSamples: true)
        return NormalizationPlan(.channels(ChannelComputation(layout, statistics, rule)))
    }
}

private struct LengthRule: ChannelRule {
    let lengths: Parameter

    /// How many elements a vector has.
    let elementCount: Int

    var parameters: [ChannelParameter] { [ChannelParameter(self.lengths)] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        for index in 0..<block.count {
            let norm = (block.statistics.spreads[index] * Double(self.elementCount)).squareRoot()
            transforms.means[index] = 0
            transforms.remainders[index] = 0
            // A vector of zeros has no direction, and stays as it is.
            transforms.scales[index] = norm == 0 ? 0 : block.parameters[0][index] / norm
            transforms.shifts[index] = 0
        }
    }
}
