public import Tensors

/// Divides what stands along an axis by its norm.
public struct LPNorm: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "lp_norm",
        summary: "What stands along an axis by its norm.",
        formula: "y = x / max(‖x‖_p, eps), the norm along axis",
        source: "ONNX LpNormalization; torch.nn.functional.normalize",
        parameters: [
            .optional(.p, .realOrWord([Self.infinity]), default: .real(2), "The order of the norm: 1, 2 or \"inf\"."),
            .optional(
                .axis,
                .integer,
                default: .integer(-1),
                "The axis along which the norm is taken; negative counts from the end."
            ),
            .epsilon(1e-12),
        ]
    )

    private static let infinity = "inf"

    private let order: Order
    private let axis: Int
    private let epsilon: Epsilon

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        switch try parameters.realOrWord(.p, [Self.infinity]) {
        case .real(1): self.order = .one
        case .real(2), nil: self.order = .two
        case .real(.infinity), .word: self.order = .infinity
        case .real(let order): throw .unsupportedOrder(order)
        }
        self.axis = try parameters.integer(.axis) ?? -1
        self.epsilon = try parameters.epsilon(placed: .standardDeviation)
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let axis = try InputAxis(self.axis, of: shape, .axis)
        let rule = NormRule(order: self.order, elementCount: axis.length, epsilon: self.epsilon.value)
        return NormalizationPlan(
            .channels(ChannelComputation(axis.lines, ChannelStatistics(kind: self.order.statistics), rule))
        )
    }
}

/// The p of a norm.
private enum Order {
    case one
    case two
    case infinity

    /// What the norm is made of.
    var statistics: ChannelStatistics.Kind {
        switch self {
        case .one: .meanMagnitude
        case .two: .meanSquare
        case .infinity: .largestMagnitude
        }
    }

    /// The norm of some elements from their statistics.
    func norm(_ spread: Double, elementCount: Int) -> Double {
        switch self {
        case .one: spread * Double(elementCount)
        case .two: (spread * Double(elementCount)).squareRoot()
        case .infinity: spread
        }
    }
}

private struct NormRule: ChannelRule {
    let order: Order
    let elementCount: Int
    let epsilon: Double

    var parameters: [ChannelParameter] { [] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        for index in 0..<block.count {
            let norm = self.order.norm(block.statistics.spreads[index], elementCount: self.elementCount)
            // So that a norm that is not a number stays so.
            let denominator = norm < self.epsilon ? self.epsilon : norm
            transforms.means[index] = 0
            transforms.remainders[index] = 0
            transforms.scales[index] = denominator == 0 ? 0 : 1 / denominator
            transforms.shifts[index] = 0
        }
    }
}
