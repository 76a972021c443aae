/// The name of a layer's parameter, as torch.nn or ONNX calls it.
public struct ParameterName: Hashable, Sendable, RawRepresentable {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    public static let runningMean = Self(rawValue: "running_mean")
    public static let runningVar = Self(rawValue: "running_var")
    public static let weight = Self(rawValue: "weight")
    public static let bias = Self(rawValue: "bias")
    public static let epsilon = Self(rawValue: "eps")
    public static let epsilonPlacement = Self(rawValue: "epsilon_placement")
    public static let dataFormat = Self(rawValue: "data_format")
    public static let normalizedShape = Self(rawValue: "normalized_shape")
    public static let axis = Self(rawValue: "axis")
    public static let groupCount = Self(rawValue: "num_groups")
    public static let useBatchStatistics = Self(rawValue: "use_batch_statistics")
    public static let useRunningStatistics = Self(rawValue: "use_running_statistics")
}

extension ParameterName: CustomStringConvertible {
    public var description: String { self.rawValue }
}
