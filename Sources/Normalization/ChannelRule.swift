/// How a layer turns the parameters and the statistics of channels into what their elements go through.
///
/// Computes in FP64. A mean is an unevaluated sum of `means` and `remainders`; a rule that moves a mean adds the
/// difference to the remainder, so that nothing is lost where means are much larger than deviations.
protocol ChannelRule: Sendable {
    /// What it needs to know of each channel, in the order in which it asks for it.
    var parameters: [ChannelParameter] { get }

    /// Fills in what the elements of a block of channels of one sample go through.
    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock)
}

/// A parameter with one element per channel, or one per channel of each sample.
struct ChannelParameter: Sendable {
    let parameter: Parameter?

    /// What stands for it where it is absent.
    let defaultValue: Double

    /// Whether each sample has its own elements, (N, C) in all.
    let isPerSample: Bool

    init(_ parameter: Parameter?, default defaultValue: Double = 0, isPerSample: Bool = false) {
        self.parameter = parameter
        self.defaultValue = defaultValue
        self.isPerSample = isPerSample
    }
}

/// Neighbouring channels of a sample, or of several samples in a row, as a rule sees them.
struct ChannelBlock {
    /// How many channels there are; every pointer below leads to as many numbers.
    let count: Int

    /// The statistics of each channel, or of the group that it belongs to. Nothing for layers that take none.
    let statistics: ChannelMoments

    /// What the channels of a sample have in common, for each of its channels, where the layer asks for it: by
    /// `ChannelStatistics.Summary` mean and variance of all elements, or the mean of the channels' norms.
    let samples: ChannelMoments

    /// The elements of each of the rule's parameters.
    let parameters: [UnsafePointer<Double>]

    /// How many neighbouring channels share their statistics, but for the first and the last of them in this block.
    let channelsPerGroup: Int

    let kernels: Kernels<Double>

    /// 1 / sqrt(variance + eps) for each channel, or as `epsilon` places it; 0 where both are zero.
    func inverseDeviations(
        _ variances: UnsafePointer<Double>,
        _ epsilon: Epsilon,
        into scales: UnsafeMutablePointer<Double>
    ) {
        guard self.channelsPerGroup > 1 else {
            self.kernels.inverseDeviations(variances, scales, self.count, epsilon.varianceTerm, epsilon.deviationTerm)
            return
        }
        // A root and a division cost more than to see that they have been done.
        var scale = 0.0
        for index in 0..<self.count {
            if index == 0 || variances[index] != variances[index - 1] {
                scale = epsilon.scale(variance: variances[index])
            }
            scales[index] = scale
        }
    }
}

/// Statistics of some channels.
struct ChannelMoments {
    /// E[x] as an unevaluated sum with `remainders`; zeros for statistics about zero.
    let means: UnsafeMutablePointer<Double>
    let remainders: UnsafeMutablePointer<Double>

    /// By `ChannelStatistics.Kind`: Var[x], E[x²], E[|x|] or max |x|.
    let spreads: UnsafeMutablePointer<Double>
}

/// What the elements of some channels go through: y = max(((x − mean) − remainder)·scale + shift, minimum).
struct ChannelTransforms {
    let means: UnsafeMutablePointer<Double>
    let remainders: UnsafeMutablePointer<Double>
    let scales: UnsafeMutablePointer<Double>
    let shifts: UnsafeMutablePointer<Double>

    /// For layers with a threshold only.
    let minimums: UnsafeMutablePointer<Double>
}

/// Which elements share their statistics, and what is taken of them.
struct ChannelStatistics: Sendable {
    /// What is taken of the elements.
    enum Kind: Sendable {
        /// Mean and biased variance.
        case moments
        /// The mean of the squares.
        case meanSquare
        /// The mean of the magnitudes.
        case meanMagnitude
        /// The largest magnitude.
        case largestMagnitude
    }

    /// What is taken over all channels of a sample, from the statistics of each.
    enum Summary: Sendable {
        case none
        /// Mean and variance of all elements.
        case moments
        /// The mean over the channels of ‖x_c‖₂.
        case meanNorm
    }

    var kind = Kind.moments

    /// How many neighbouring channels share them.
    var channelsPerGroup = 1

    /// Whether the samples share them too.
    var isAcrossSamples = false

    var summary = Summary.none
}
