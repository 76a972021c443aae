/// The layers in FP64, written from their formulas with nothing but index arithmetic: the slow twins of the fast ones.
package enum Reference {
    /// Where eps is added, and how much it is.
    package struct Epsilon: Sendable {
        package let value: Double
        package let isAddedToStandardDeviation: Bool

        package init(_ value: Double, isAddedToStandardDeviation: Bool = false) {
            self.value = value
            self.isAddedToStandardDeviation = isAddedToStandardDeviation
        }

        func normalize(_ x: Double, mean: Double, variance: Double) -> Double {
            let denominator =
                self.isAddedToStandardDeviation
                ? variance.squareRoot() + self.value : (variance + self.value).squareRoot()
            // Without eps, elements without spread have nothing to divide.
            return denominator == 0 ? 0 : (x - mean) / denominator
        }
    }

    /// γ and β, found by the index of an element along the axes that they span.
    package struct Affine: Sendable {
        package var weight: [Double]?
        package var bias: [Double]?

        package init(weight: [Double]? = nil, bias: [Double]? = nil) {
            self.weight = weight
            self.bias = bias
        }

        func apply(_ x: Double, at position: Int) -> Double {
            x * (self.weight?[position] ?? 1) + (self.bias?[position] ?? 0)
        }
    }

    /// (x − mean_c) / sqrt(var_c + eps) · γ_c + β_c, Ioffe and Szegedy 2015.
    package static func frozen(
        _ x: ReferenceTensor,
        channelAxis: Int,
        mean: [Double],
        variance: [Double],
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        var y = x
        for index in x.indices {
            let channel = index[channelAxis]
            let normalized = epsilon.normalize(x[index], mean: mean[channel], variance: variance[channel])
            y[index] = affine.apply(normalized, at: channel)
        }
        return y
    }

    /// The same with the statistics of the batch: elements of a channel share them.
    package static func batchNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        self.normalize(x, epsilon, affine, sharedBy: { [$0[channelAxis]] }, position: { $0[channelAxis] })
    }

    /// Elements of a sample and a channel share their statistics, Ulyanov, Vedaldi and Lempitsky 2016.
    package static func instanceNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        self.normalize(x, epsilon, affine, sharedBy: { [$0[0], $0[channelAxis]] }, position: { $0[channelAxis] })
    }

    /// Elements of a sample and a group of channels share their statistics, Wu and He 2018.
    package static func groupNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        groupCount: Int,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        let channelsPerGroup = x.dimensions[channelAxis] / groupCount
        return self.normalize(
            x,
            epsilon,
            affine,
            sharedBy: { [$0[0], $0[channelAxis] / channelsPerGroup] },
            position: { $0[channelAxis] }
        )
    }

    /// Elements that differ along the trailing axes only share their statistics, Ba, Kiros and Hinton 2016.
    package static func layerNorm(
        _ x: ReferenceTensor,
        firstAxis: Int,
        _ epsilon: Epsilon,
        _ affine: Affine
    ) -> ReferenceTensor {
        self.normalize(
            x,
            epsilon,
            affine,
            sharedBy: { Array($0[..<firstAxis]) },
            position: { self.position(in: x.dimensions, $0, from: firstAxis) }
        )
    }

    /// x / sqrt(E[x²] + eps) · γ over the trailing axes, Zhang and Sennrich 2019.
    package static func rmsNorm(
        _ x: ReferenceTensor,
        firstAxis: Int,
        epsilon: Double,
        weight: [Double]?
    ) -> ReferenceTensor {
        let meanSquares = ReferenceStatistics(x) { Array($0[..<firstAxis]) }.meanSquares()
        let affine = Affine(weight: weight)
        var y = x
        for index in x.indices {
            let meanSquare = meanSquares[Array(index[..<firstAxis])] ?? 0
            let normalized = Epsilon(epsilon).normalize(x[index], mean: 0, variance: meanSquare)
            y[index] = affine.apply(normalized, at: self.position(in: x.dimensions, index, from: firstAxis))
        }
        return y
    }

    private static func normalize(
        _ x: ReferenceTensor,
        _ epsilon: Epsilon,
        _ affine: Affine,
        sharedBy key: ([Int]) -> [Int],
        position: ([Int]) -> Int
    ) -> ReferenceTensor {
        let statistics = ReferenceStatistics(x, key: key).meansAndVariances()
        var y = x
        for index in x.indices {
            guard let (mean, variance) = statistics[key(index)] else { continue }
            y[index] = affine.apply(epsilon.normalize(x[index], mean: mean, variance: variance), at: position(index))
        }
        return y
    }

    /// Where an index stands within the trailing axes.
    private static func position(in dimensions: [Int], _ index: [Int], from firstAxis: Int) -> Int {
        (firstAxis..<dimensions.count).reduce(0) { $0 * dimensions[$1] + index[$1] }
    }
}
