import Glibc

/// How switchable_norm weighs its statistics.
extension Reference {
    /// exp(l_k − max l) / Σ exp(l_j − max l).
    static func softmax(_ logits: [Double]) -> [DoubleDouble] {
        let largest = logits.max() ?? 0
        let powers = logits.map { DoubleDouble(exp($0 - largest)) }
        let sum = powers.sum()
        return powers.map { $0 / sum }
    }

    static func mixture(_ values: [DoubleDouble], _ weights: [DoubleDouble]) -> DoubleDouble {
        zip(values, weights).map { $0 * $1 }.sum()
    }
}
