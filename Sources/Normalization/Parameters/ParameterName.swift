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
    public static let axes = Self(rawValue: "axes")
    public static let dim = Self(rawValue: "dim")
    public static let p = Self(rawValue: "p")
    public static let mean = Self(rawValue: "mean")
    public static let std = Self(rawValue: "std")
    public static let runningStd = Self(rawValue: "running_std")
    public static let rMax = Self(rawValue: "r_max")
    public static let dMax = Self(rawValue: "d_max")
    public static let rho = Self(rawValue: "rho")
    public static let meanWeight = Self(rawValue: "mean_weight")
    public static let varWeight = Self(rawValue: "var_weight")
    public static let style = Self(rawValue: "style")
    public static let styleMean = Self(rawValue: "style_mean")
    public static let styleStd = Self(rawValue: "style_std")
    public static let weightG = Self(rawValue: "weight_g")
    public static let gain = Self(rawValue: "gain")
    public static let tau = Self(rawValue: "tau")
    public static let alpha = Self(rawValue: "alpha")
    public static let beta = Self(rawValue: "beta")
    public static let k = Self(rawValue: "k")
    public static let size = Self(rawValue: "size")
    public static let u = Self(rawValue: "u")
    public static let v = Self(rawValue: "v")
    public static let powerIterationCount = Self(rawValue: "n_power_iterations")
}

extension ParameterName: CustomStringConvertible {
    public var description: String { self.rawValue }
}
