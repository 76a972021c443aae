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
        let rows = try InputAxis(self.dim, of: shape, .dim)
        if case .frozen(let left, let right) = self.method {
            try rows.checkCount(left)
            try left.checkShape([rows.length])
            if let right {
                try right.checkCount(rows.outerCount * rows.innerCount)
                try right.checkShape(shape.dimensions.enumerated().filter { $0.offset != rows.index }.map(\.element))
            }
        }
        if case .power(let count) = self.method {
            // Each iteration goes over the weight twice: what a request may cost has a limit.
            let limit = max(1, spectralElementLimit / max(1, shape.elementCount))
            guard count <= limit else { throw .outOfRange(.powerIterationCount, count, 1...limit) }
        }
        let matrix = WeightMatrix(outerCount: rows.outerCount, rowCount: rows.length, innerCount: rows.innerCount)
        return NormalizationPlan(.spectral(SpectralComputation(matrix: matrix, method: self.method)))
    }
}
