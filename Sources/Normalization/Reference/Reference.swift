/// The layers written from their formulas with nothing but index arithmetic, in twice the digits of FP64: the slow
/// twins of the fast ones.
package enum Reference {
    /// Where eps is added, and how much it is.
    package struct Epsilon: Sendable {
        package let value: Double
        package let isAddedToStandardDeviation: Bool

        package init(_ value: Double, isAddedToStandardDeviation: Bool = false) {
            self.value = value
            self.isAddedToStandardDeviation = isAddedToStandardDeviation
        }

        /// What differences from the mean are divided by.
        func deviation(_ variance: DoubleDouble) -> DoubleDouble {
            let epsilon = DoubleDouble(self.value)
            return self.isAddedToStandardDeviation
                ? variance.squareRoot() + epsilon : (variance + epsilon).squareRoot()
        }

        func normalize(_ x: Double, _ moments: ReferenceMoments) -> DoubleDouble {
            Reference.quotient(DoubleDouble(x) - moments.mean, self.deviation(moments.variance))
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

        func apply(_ x: DoubleDouble, at position: Int) -> Double {
            (x * DoubleDouble(self.weight?[position] ?? 1) + DoubleDouble(self.bias?[position] ?? 0)).high
        }
    }

    /// 0 where the divisor is: without eps, elements without spread have nothing to be divided by.
    static func quotient(_ dividend: DoubleDouble, _ divisor: DoubleDouble) -> DoubleDouble {
        divisor.high == 0 ? 0 : dividend / divisor
    }

    /// The frozen statistics of a channel.
    static func moments(_ mean: [Double], _ variance: [Double], _ channel: Int) -> ReferenceMoments {
        ReferenceMoments(mean: DoubleDouble(mean[channel]), variance: DoubleDouble(variance[channel]))
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
            let normalized = epsilon.normalize(x[index], self.moments(mean, variance, channel))
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
            let normalized = self.quotient(DoubleDouble(x[index]), Epsilon(epsilon).deviation(meanSquare))
            y[index] = affine.apply(normalized, at: self.position(in: x.dimensions, index, from: firstAxis))
        }
        return y
    }

    static func normalize(
        _ x: ReferenceTensor,
        _ epsilon: Epsilon,
        _ affine: Affine,
        sharedBy key: ([Int]) -> [Int],
        position: ([Int]) -> Int
    ) -> ReferenceTensor {
        let statistics = ReferenceStatistics(x, key: key).moments()
        var y = x
        for index in x.indices {
            guard let moments = statistics[key(index)] else { continue }
            y[index] = affine.apply(epsilon.normalize(x[index], moments), at: position(index))
        }
        return y
    }

    /// Where an index stands within the trailing axes.
    private static func position(in dimensions: [Int], _ index: [Int], from firstAxis: Int) -> Int {
        (firstAxis..<dimensions.count).reduce(0) { $0 * dimensions[$1] + index[$1] }
    }
}
