/// Layers for the weights of others, and for data before a network sees them.
extension Reference {
    /// Which elements have a norm in common.
    package enum Norm: Sendable {
        case sum
        case euclidean
        case largest

        func values(_ statistics: ReferenceStatistics) -> [[Int]: DoubleDouble] {
            switch self {
            case .sum: statistics.sumNorms()
            case .euclidean: statistics.euclideanNorms()
            case .largest: statistics.largestMagnitudes()
            }
        }
    }

    /// g·v/‖v‖₂ with the norm over all axes but one, or over all, Salimans and Kingma 2016.
    package static func weightNorm(_ v: ReferenceTensor, axis: Int?, g: [Double]) -> ReferenceTensor {
        let key: ([Int]) -> [Int] = { index in axis.map { [index[$0]] } ?? [0] }
        let norms = ReferenceStatistics(v, key: key).euclideanNorms()
        return self.map(v) { index, element in
            let quotient = self.quotient(DoubleDouble(element), norms[key(index)] ?? 0)
            return (quotient * DoubleDouble(g[key(index)[0]])).high
        }
    }

    /// (W − E)/sqrt(Var + eps)·gain over all axes but the first, Qiao et al. 2019.
    package static func weightStandardization(
        _ w: ReferenceTensor,
        gain: [Double]?,
        _ epsilon: Epsilon
    ) -> ReferenceTensor {
        self.normalize(w, epsilon, Affine(weight: gain), sharedBy: { [$0[0]] }, position: { $0[0] })
    }

    /// (x − mean)/std per feature; x − mean where std is zero.
    package static func standardize(
        _ x: ReferenceTensor,
        axis: Int,
        mean: [Double],
        deviation: [Double]
    ) -> ReferenceTensor {
        self.map(x) { index, element in
            let feature = index[axis]
            let difference = DoubleDouble(element) - DoubleDouble(mean[feature])
            let deviation = deviation[feature]
            return (deviation == 0 ? difference : difference / DoubleDouble(deviation)).high
        }
    }

    /// (x − E)/(sqrt(Var) + eps) over some axes, ONNX MeanVarianceNormalization.
    package static func meanVarianceNorm(_ x: ReferenceTensor, axes: [Int], epsilon: Double) -> ReferenceTensor {
        self.normalize(
            x,
            Epsilon(epsilon, isAddedToStandardDeviation: true),
            Affine(),
            sharedBy: { self.removing(axes, from: $0) },
            position: { _ in 0 }
        )
    }

    /// x / max(‖x‖_p, eps) along an axis.
    package static func lpNorm(_ x: ReferenceTensor, axis: Int, _ norm: Norm, epsilon: Double) -> ReferenceTensor {
        let norms = norm.values(ReferenceStatistics(x) { self.removing([axis], from: $0) })
        return self.map(x) { index, element in
            let divisor = max(norms[self.removing([axis], from: index)] ?? 0, DoubleDouble(epsilon))
            return self.quotient(DoubleDouble(element), divisor).high
        }
    }

    private static func removing(_ axes: [Int], from index: [Int]) -> [Int] {
        index.indices.filter { !axes.contains($0) }.map { index[$0] }
    }
}
