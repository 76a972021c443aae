/// A type of layer: its name, its parameters, how to make one.
///
/// The one table from which requests are validated and documentation is written.
public struct LayerType: Sendable {
    /// As requests name it: `batch_norm`.
    public let name: String

    /// One sentence.
    public let summary: String

    /// What it computes.
    public let formula: String

    /// The paper that introduced it, and the implementation whose parameters it takes.
    public let source: String

    public let parameters: [ParameterSpecification]

    private let make: @Sendable (LayerParameters) throws(LayerError) -> any NormalizationLayer

    init(
        _ layer: any NormalizationLayer.Type,
        name: String,
        summary: String,
        formula: String,
        source: String,
        parameters: [ParameterSpecification]
    ) {
        self.name = name
        self.summary = summary
        self.formula = formula
        self.source = source
        self.parameters = parameters
        self.make = { (parameters: LayerParameters) throws(LayerError) in try layer.init(parameters) }
    }

    public static let all = [
        BatchNorm.type, LayerNorm.type, InstanceNorm.type, GroupNorm.type, RMSNorm.type, BatchRenorm.type,
        BatchInstanceNorm.type, SwitchableNorm.type, AdaptiveInstanceNorm.type, WeightNorm.type, SpectralNorm.type,
        Standardize.type, MeanVarianceNorm.type, LPNorm.type, LocalResponseNorm.type, FilterResponseNorm.type,
        GlobalResponseNorm.type, WeightStandardization.type, DynamicTanh.type,
    ]

    public static func named(_ name: String) -> Self? {
        self.all.first { $0.name == name }
    }

    /// What the type knows of a parameter, if anything.
    public subscript(name: ParameterName) -> ParameterSpecification? {
        self.parameters.first { $0.name == name }
    }

    public func makeLayer(_ parameters: LayerParameters) throws(LayerError) -> any NormalizationLayer {
        try self.make(parameters)
    }
}
