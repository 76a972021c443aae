public import Tensors

/// Divides a weight, seen as a matrix, by its largest singular value.
public struct SpectralNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "spectral_norm",
        summary: "A weight, seen as a matrix, by its largest singular value.",
        formula: "y = W / σ, where W has a row per index along dim and σ is its largest singular value, or uᵀ·W·v",
        source:
            "Miyato, Kataoka, Koyama and Yoshida 2018, arXiv:1802.05957; torch.nn.utils.parametrizations.spectral_norm",
        parameters: [
            .optional(
                .dim,
                .integer,
                default: .integer(0),
                "The axis of the rows; negative counts from the end. The other axes, in their order, are the columns."
            ),
            .optional(.u, .tensor, "The left singular vector, one element per row; σ is then not iterated."),
            .optional(.v, .tensor, "The right one, an element per column; only with u. By default Wᵀ·u, normalized."),
            .optional(
                .powerIterationCount,
                .integer,
                "How many power iterations, from 1 to 10000, give σ; by default as many steps as it takes to settle."
            ),
        ]
    )

    /// More of them than anyone needs; a bound for the time that a request takes.
    private static let powerIterationLimit = 10_000

    private let dim: Int
    private let method: SpectralComputation.Method

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.dim = try parameters.integer(.dim) ?? 0
        let left = try parameters.parameter(.u)
        let right = try parameters.parameter(.v)
        switch (left, try parameters.integer(.powerIterationCount)) {
        case (.some, .some):
            throw .conflictingParameters(.u, .powerIterationCount)
        case (let left?, nil):
            self.method = .frozen(left: left, right: right)
        case (nil, _) where right != nil:
            throw .missingParameter(.u)
        case (nil, let count?):
            guard (1...Self.powerIterationLimit).contains(count) else {
                throw .outOfRange(.powerIterationCount, count, 1...Self.powerIterationLimit)
            }
            self.method = .power(iterationCount: count)
        case (nil, nil):
            self.method = .settled
        }
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        guard NormalizedAxes.supportedRanks.contains(shape.rank) else {
            throw .unsupportedRank(shape.rank, supported: NormalizedAxes.supportedRanks)
        }
        guard (-shape.rank..<shape.rank).contains(self.dim) else {
            throw .axisOutOfRange(self.dim, rank: shape.rank, .dim)
        }
        let axis = self.dim < 0 ? self.dim + shape.rank : self.dim
        // Shape has checked the products of the dimensions.
        let outerCount = shape.dimensions[..<axis].reduce(1, *)
        let innerCount = shape.dimensions[(axis + 1)...].reduce(1, *)
        if case .frozen(let left, let right) = self.method {
            guard left.count == shape[axis] else {
                throw .axisLengthMismatch(.u, elementCount: left.count, length: shape[axis], axis: axis)
            }
            try left.checkShape([shape[axis]])
            if let right {
                let columnCount = outerCount * innerCount
                guard right.count == columnCount else {
                    throw .countMismatch(.v, elementCount: right.count, expected: columnCount)
                }
                try right.checkShape(shape.dimensions.enumerated().filter { $0.offset != axis }.map(\.element))
            }
        }
        let matrix = WeightMatrix(outerCount: outerCount, rowCount: shape[axis], innerCount: innerCount)
        return NormalizationPlan(.spectral(SpectralComputation(matrix: matrix, method: self.method)))
    }
}
