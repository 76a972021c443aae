public import Tensors

/// Normalizes over any of the axes, without parameters to learn.
public struct MeanVarianceNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "mean_variance_norm",
        summary: "Over any axes; by default over all but the channels.",
        formula: "y = (x − E[x]) / (sqrt(Var[x]) + eps), E and Var over axes",
        source: "ONNX MeanVarianceNormalization",
        parameters: [
            .optional(
                .axes,
                .integers,
                "The axes that are normalized over; negative counts from the end. By default all but axis 1."
            ),
            .epsilon(1e-9),
        ]
    )

    private let axes: [Int]?
    private let epsilon: Epsilon

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.axes = try parameters.integers(.axes)
        if let axes = self.axes, axes.isEmpty { throw .emptyAxes }
        self.epsilon = try parameters.epsilon(placed: .standardDeviation)
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        try InputAxis.checkRank(of: shape)
        let reduced = ReducedAxes(try self.resolvedAxes(rank: shape.rank), of: shape)
        let rule = AffineRule(epsilon: self.epsilon, weight: nil, bias: nil)
        guard let (layout, isAcrossSamples) = reduced.layout else {
            return NormalizationPlan(.permuted(PermutedComputation(reduced, rule)))
        }
        return NormalizationPlan(
            .channels(ChannelComputation(layout, ChannelStatistics(isAcrossSamples: isAcrossSamples), rule))
        )
    }

    private func resolvedAxes(rank: Int) throws(LayerError) -> [Int] {
        guard let axes = self.axes else { return (0..<rank).filter { $0 != 1 } }
        var resolved: [Int] = []
        for axis in axes {
            let index = try InputAxis.resolve(axis, rank: rank, .axes)
            guard !resolved.contains(index) else { throw .duplicateAxis(axis) }
            resolved.append(index)
        }
        return resolved
    }
}
