public import Tensors

/// Subtracts the mean of each feature and divides by its standard deviation, both those of a whole data set.
public struct Standardize: NormalizationLayer {
    public static let type = LayerType(
        Self.self,
        name: "standardize",
        summary: "Each feature by the mean and the standard deviation of a data set.",
        formula: "y = (x − mean_i) / std_i",
        source: "The z-score; sklearn.preprocessing.StandardScaler; torchvision.transforms.Normalize (axis 1)",
        parameters: [
            .required(.mean, .tensor, "The mean of each feature."),
            .required(.std, .tensor, "The standard deviation of each feature; where it is 0, y = x − mean_i."),
            .optional(
                .axis,
                .integer,
                default: .integer(-1),
                "The axis of the features; negative counts from the end."
            ),
        ]
    )

    private let mean: Parameter
    private let deviation: Parameter
    private let axis: Int

    public init(_ parameters: LayerParameters) throws(LayerError) {
        let parameters = try parameters.resolved(for: Self.type)
        self.mean = try parameters.required(.mean)
        self.deviation = try parameters.required(.std)
        try self.deviation.checkDeviations()
        self.axis = try parameters.integer(.axis) ?? -1
    }

    public func plan(for shape: Shape) throws(LayerError) -> NormalizationPlan {
        let features = try InputAxis(self.axis, of: shape, .axis)
        for parameter in [self.mean, self.deviation] {
            try features.checkCount(parameter)
            try parameter.checkShape([features.length])
        }
        let rule = StandardRule(mean: self.mean, deviation: self.deviation)
        return NormalizationPlan(.channels(ChannelComputation(features.channels, nil, rule)))
    }
}

private struct StandardRule: ChannelRule {
    let mean: Parameter
    let deviation: Parameter

    var parameters: [ChannelParameter] { [ChannelParameter(self.mean), ChannelParameter(self.deviation)] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {
        let (means, deviations) = (block.parameters[0], block.parameters[1])
        for index in 0..<block.count {
            transforms.means[index] = means[index]
            transforms.remainders[index] = 0
            // As sklearn: a constant feature is centred only.
            transforms.scales[index] = deviations[index] == 0 ? 1 : 1 / deviations[index]
            transforms.shifts[index] = 0
        }
    }
}
