/// What a layer type knows of one of its parameters: the source of validation and of documentation.
public struct ParameterSpecification: Sendable {
    public let name: ParameterName
    public let kind: ParameterKind

    /// Whether a layer cannot do without it, unless `substitute` takes its place.
    public let isRequired: Bool

    /// The parameter that may be given, or be true, in place of this one.
    public let substitute: ParameterName?

    /// What an absent parameter stands for, if that is a value.
    public let defaultValue: ParameterValue?

    /// One sentence: shape, meaning.
    public let summary: String

    static func required(
        _ name: ParameterName,
        _ kind: ParameterKind,
        unless substitute: ParameterName? = nil,
        _ summary: String
    ) -> Self {
        Self(name: name, kind: kind, isRequired: true, substitute: substitute, defaultValue: nil, summary: summary)
    }

    static func optional(
        _ name: ParameterName,
        _ kind: ParameterKind,
        default defaultValue: ParameterValue? = nil,
        _ summary: String
    ) -> Self {
        Self(
            name: name,
            kind: kind,
            isRequired: false,
            substitute: nil,
            defaultValue: defaultValue,
            summary: summary
        )
    }
}

/// The parameters that several layer types share.
extension ParameterSpecification {
    static let channelWeight = optional(.weight, .tensor, "γ, one per channel; 1 where absent.")
    static let channelBias = optional(.bias, .tensor, "β, one per channel; 0 where absent.")
    static let elementWeight = optional(.weight, .tensor, "γ, of the normalized shape; 1 where absent.")
    static let elementBias = optional(.bias, .tensor, "β, of the normalized shape; 0 where absent.")

    static let epsilon = epsilon(1e-5)

    /// eps of a layer type with another default than most.
    static func epsilon(_ defaultValue: Double) -> Self {
        optional(.epsilon, .real, default: .real(defaultValue), "What keeps the division from zero; not negative.")
    }

    static let epsilonPlacement = optional(
        .epsilonPlacement,
        .choice(Epsilon.Placement.allCases.map(\.rawValue)),
        default: .text(Epsilon.Placement.variance.rawValue),
        "Divide by sqrt(Var + eps), or by sqrt(Var) + eps."
    )

    static let dataFormat = optional(
        .dataFormat,
        .choice(DataFormat.allCases.map(\.rawValue)),
        default: .text(DataFormat.channelsFirst.rawValue),
        "Whether the channels are axis 1 or the last axis."
    )

    static let normalizedShape = required(
        .normalizedShape,
        .integers,
        unless: .axis,
        "The trailing dimensions of the input over which each sample is normalized."
    )

    static let axis = optional(
        .axis,
        .integer,
        "In place of normalized_shape: the first of the normalized axes; negative counts from the end."
    )
}
