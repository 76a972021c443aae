/// Layers that put several statistics together.
extension Reference {
    /// Where a batch_renorm's moving σ comes from.
    package enum MovingDeviation: Sendable {
        /// σ² without eps.
        case variance([Double])
        /// σ itself.
        case deviation([Double])

        func value(_ channel: Int, _ epsilon: Epsilon) -> DoubleDouble {
            switch self {
            case .variance(let variances): epsilon.deviation(DoubleDouble(variances[channel]))
            case .deviation(let deviations): DoubleDouble(deviations[channel])
            }
        }
    }

    /// (x − μ)/σ·γ + β with moving averages, Ioffe 2017 at inference.
    package static func batchRenorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        mean: [Double],
        _ moving: MovingDeviation,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        self.map(x) { index, element in
            let channel = index[channelAxis]
            let difference = DoubleDouble(element) - DoubleDouble(mean[channel])
            return affine.apply(self.quotient(difference, moving.value(channel, epsilon)), at: channel)
        }
    }

    /// ((x − μ_B)/σ_B·r + d)·γ + β with r = clip(σ_B/σ, 1/r_max, r_max) and d = clip((μ_B − μ)/σ, −d_max, d_max).
    package static func batchRenorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        mean: [Double],
        _ moving: MovingDeviation,
        largestRatio: Double,
        largestDistance: Double,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        let batch = ReferenceStatistics(x) { [$0[channelAxis]] }.moments()
        let (ratioLimit, distanceLimit) = (DoubleDouble(largestRatio), DoubleDouble(largestDistance))
        return self.map(x) { index, element in
            let channel = index[channelAxis]
            guard let moments = batch[[channel]] else { return element }
            let deviation = moving.value(channel, epsilon)
            let ratio = min(max(epsilon.deviation(moments.variance) / deviation, 1 / ratioLimit), ratioLimit)
            let shift = (moments.mean - DoubleDouble(mean[channel])) / deviation
            let distance = min(max(shift, -distanceLimit), distanceLimit)
            return affine.apply(epsilon.normalize(element, moments) * ratio + distance, at: channel)
        }
    }

    /// (ρ·x̂_B + (1 − ρ)·x̂_I)·γ + β, Nam and Kim 2018.
    package static func batchInstanceNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        mean: [Double],
        variance: [Double],
        rho: [Double],
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        let instances = ReferenceStatistics(x) { [$0[0], $0[channelAxis]] }.moments()
        return self.map(x) { index, element in
            let channel = index[channelAxis]
            guard let instance = instances[[index[0], channel]] else { return element }
            let rho = DoubleDouble(rho[channel])
            let byBatch = epsilon.normalize(element, self.moments(mean, variance, channel))
            let byInstance = epsilon.normalize(element, instance)
            return affine.apply(rho * byBatch + (1 - rho) * byInstance, at: channel)
        }
    }

    /// The logits of switchable_norm, in the order instance, layer, batch.
    package struct Switches: Sendable {
        package var mean: [Double]
        package var variance: [Double]

        package init(mean: [Double], variance: [Double]) {
            self.mean = mean
            self.variance = variance
        }
    }

    /// (x − Σ w_k μ_k)/sqrt(Σ w'_k σ²_k + eps)·γ + β, Luo et al. 2018.
    package static func switchableNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        mean: [Double],
        variance: [Double],
        _ switches: Switches,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        let instances = ReferenceStatistics(x) { [$0[0], $0[channelAxis]] }.moments()
        let layers = ReferenceStatistics(x) { [$0[0]] }.moments()
        let (meanWeights, varianceWeights) = (self.softmax(switches.mean), self.softmax(switches.variance))
        return self.map(x) { index, element in
            let channel = index[channelAxis]
            guard let instance = instances[[index[0], channel]], let layer = layers[[index[0]]] else { return element }
            let statistics = [instance, layer, self.moments(mean, variance, channel)]
            let mixture = ReferenceMoments(
                mean: self.mixture(statistics.map(\.mean), meanWeights),
                variance: self.mixture(statistics.map(\.variance), varianceWeights)
            )
            return affine.apply(epsilon.normalize(element, mixture), at: channel)
        }
    }

    /// σ_s·(x − μ(x))/sqrt(Var(x) + eps) + μ_s per sample and channel, Huang and Belongie 2017.
    ///
    /// - Parameter style: mean and standard deviation, by sample and channel.
    package static func adaptiveInstanceNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        styleMean: ([Int]) -> Double,
        styleDeviation: ([Int]) -> Double,
        _ epsilon: Epsilon
    ) -> ReferenceTensor {
        let instances = ReferenceStatistics(x) { [$0[0], $0[channelAxis]] }.moments()
        return self.map(x) { index, element in
            let key = [index[0], index[channelAxis]]
            guard let instance = instances[key] else { return element }
            let normalized = epsilon.normalize(element, instance)
            return (normalized * DoubleDouble(styleDeviation(key)) + DoubleDouble(styleMean(key))).high
        }
    }

    /// The same with the mean and sqrt(Var + eps) of a style tensor, which all samples share if it has one only.
    ///
    /// - Parameter styleAxis: the axis of the style's channels.
    package static func adaptiveInstanceNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        style: ReferenceTensor,
        styleAxis: Int,
        _ epsilon: Epsilon
    ) -> ReferenceTensor {
        let styles = ReferenceStatistics(style) { [$0[0], $0[styleAxis]] }.moments()
        let instances = ReferenceStatistics(x) { [$0[0], $0[channelAxis]] }.moments()
        return self.map(x) { index, element in
            let channel = index[channelAxis]
            let sample = style.dimensions[0] == 1 ? 0 : index[0]
            guard let instance = instances[[index[0], channel]], let style = styles[[sample, channel]] else {
                return element
            }
            return (epsilon.normalize(element, instance) * epsilon.deviation(style.variance) + style.mean).high
        }
    }

    static func map(_ x: ReferenceTensor, _ transform: ([Int], Double) -> Double) -> ReferenceTensor {
        var y = x
        for index in x.indices {
            y[index] = transform(index, x[index])
        }
        return y
    }
}
