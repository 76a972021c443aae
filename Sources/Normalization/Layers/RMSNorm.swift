public import Tensors

/// Divides each sample by the root of the mean square over its trailing dimensions.
public struct RMSNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "rms_norm",
        summary: "Each sample by its root mean square over the trailing dimensions.",
        formula: "y = x / sqrt(E[x²] + eps) · weight",
        source: "Zhang and Sennrich 2019, arXiv:1910.07467; torch.nn.RMSNorm",
        parameters: [
            .normalizedShape, .axis, .elementWeight,
            .optional(
                .epsilon,
                .real,
                """
                What keeps the division from zero; not negative. By default the machine epsilon of FP32, of FP64 for \
                FP64 input.
                """
            ),
        ]
    )

    private let axes: NormalizedAxes
    private let epsilon: Epsilon?
    private let weight: Parameter?

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.axes = try NormalizedAxes(parameters)
        self.epsilon = try parameters.real(.epsilon).map { value throws(LayerError) in
            try Epsilon(value, placement: .variance)
        }
        self.weight = try parameters.parameter(.weight)
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let (rowCount, rowLength, rowDimensions) = try self.axes.resolve(shape)
        try NormalizedAxes.check(self.weight, rowDimensions, rowLength)
        let rows = RowLayout(rowCount: rowCount, rowLength: rowLength, isCentered: false, epsilon: self.epsilon)
        return NormalizationPlan(.rows(RowComputation(rows, weight: self.weight)))
    }
}
