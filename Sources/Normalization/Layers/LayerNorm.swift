public import Tensors

/// Normalizes each sample over its trailing dimensions.
public struct LayerNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "layer_norm",
        summary: "Each sample over the trailing dimensions.",
        formula: "y = (x − E[x]) / sqrt(Var[x] + eps) · weight + bias",
        source: "Ba, Kiros and Hinton 2016, arXiv:1607.06450; torch.nn.LayerNorm; ONNX LayerNormalization",
        parameters: [.normalizedShape, .axis, .elementWeight, .elementBias, .epsilon, .epsilonPlacement]
    )

    private let axes: NormalizedAxes
    private let epsilon: Epsilon
    private let weight: Parameter?
    private let bias: Parameter?

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.axes = try NormalizedAxes(parameters)
        self.epsilon = try parameters.epsilon()
        self.weight = try parameters.parameter(.weight)
        self.bias = try parameters.parameter(.bias)
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let (rowCount, rowLength, rowDimensions) = try self.axes.resolve(shape)
        try NormalizedAxes.check(self.weight, rowDimensions, rowLength)
        try NormalizedAxes.check(self.bias, rowDimensions, rowLength)
        let rows = RowLayout(rowCount: rowCount, rowLength: rowLength, isCentered: true, epsilon: self.epsilon)
        return NormalizationPlan(.rows(RowComputation(rows, weight: self.weight, bias: self.bias)))
    }
}
