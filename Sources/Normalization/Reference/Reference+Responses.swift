/// Layers that divide by the size of a response, not by its spread.
extension Reference {
    /// x/sqrt(E[x²] + eps)·γ + β over the positions of a channel, and not less than τ, Singh and Krishnan 2019.
    package static func filterResponseNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        epsilon: Double,
        _ affine: Affine,
        threshold: [Double]?
    ) -> ReferenceTensor {
        let meanSquares = ReferenceStatistics(x) { [$0[0], $0[channelAxis]] }.meanSquares()
        return self.map(x) { index, element in
            let channel = index[channelAxis]
            let deviation = Epsilon(epsilon).deviation(meanSquares[[index[0], channel]] ?? 0)
            let y = affine.apply(self.quotient(DoubleDouble(element), deviation), at: channel)
            return threshold.map { max(y, $0[channel]) } ?? y
        }
    }

    /// γ·x·g/(E_c[g] + eps) + β + x with g_c = ‖x_c‖₂ over the positions, Woo et al. 2023.
    package static func globalResponseNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        epsilon: Double,
        weight: [Double]?,
        bias: [Double]?
    ) -> ReferenceTensor {
        let norms = ReferenceStatistics(x) { [$0[0], $0[channelAxis]] }.euclideanNorms()
        let channelCount = x.dimensions[channelAxis]
        let means = (0..<x.dimensions[0]).map { sample in
            (0..<channelCount).map { norms[[sample, $0]] ?? 0 }.sum() / DoubleDouble(Double(channelCount))
        }
        return self.map(x) { index, element in
            let (sample, channel) = (index[0], index[channelAxis])
            let norm = norms[[sample, channel]] ?? 0
            let response = self.quotient(norm, means[sample] + DoubleDouble(epsilon))
            let scaled = DoubleDouble(weight?[channel] ?? 1) * DoubleDouble(element) * response
            return (scaled + DoubleDouble(bias?[channel] ?? 0) + DoubleDouble(element)).high
        }
    }
}
