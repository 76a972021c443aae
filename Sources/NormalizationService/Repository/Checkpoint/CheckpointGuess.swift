import Normalization
import TensorFormats
import Tensors

/// What the tensors of a module and its name tell of it.
enum CheckpointGuess {
    /// A normalization layer, with parameters that are not torch's defaults.
    case layer(LayerType, [ParameterName: ParameterValue])
    /// Maybe a normalization layer: why that cannot be told.
    case unclear(String)
    case noLayer

    init(_ group: CheckpointGroup, in surroundings: CheckpointSurroundings) {
        if group.tensors["running_mean"] != nil, group.tensors["running_var"] != nil {
            self = Self.withRunningStatistics(group)
        } else if let weight = group.tensors["weight"], group.hasOnly(["weight", "bias"]) {
            let isAmongConvolutions = surroundings.hasConvolutions(beside: group)
            self = Self.affine(group.ownName, weight, group.tensors["bias"], isAmongConvolutions)
        } else {
            self = .noLayer
        }
    }

    /// What most models have; torch's default is the machine epsilon.
    private static var rmsDefaults: [ParameterName: ParameterValue] { [.epsilon: .real(1e-6)] }

    private static func withRunningStatistics(_ group: CheckpointGroup) -> Self {
        let counts = Set(group.tensors.values.map(\.shape))
        guard group.hasOnly(["running_mean", "running_var", "weight", "bias"]), counts.count == 1,
            counts.first?.rank == 1
        else { return .unclear("it has running statistics, but not as a batch norm has them") }
        let isInstanceNorm = Self.kind(of: group.ownName) == .instance
        return isInstanceNorm
            ? .layer(InstanceNorm.type, [.useRunningStatistics: .boolean(true)]) : .layer(BatchNorm.type, [:])
    }

    /// A module of γ and maybe β, of one shape: nothing but its name tells what it does.
    private static func affine(
        _ name: String,
        _ weight: SafetensorsEntry,
        _ bias: SafetensorsEntry?,
        _ isAmongConvolutions: Bool
    ) -> Self {
        let kind = Self.kind(of: name)
        guard weight.shape.rank == 1 || kind == .layer && bias != nil, weight.shape.rank > 0,
            bias == nil || bias?.shape == weight.shape
        else { return .noLayer }
        let hasBias = bias != nil
        switch kind {
        case .layer:
            guard hasBias else {
                // Llama's and Gemma's norms have the same names, but Gemma's add one to the weight.
                return .unclear("without a bias, it may be a layer norm or an RMS norm; a rule can tell")
            }
            return .layer(LayerNorm.type, [:])
        case .rms:
            guard !hasBias else {
                return .unclear("it is called an RMS norm, but has a bias; a rule can tell what it is")
            }
            return .layer(RMSNorm.type, Self.rmsDefaults)
        case .group: return .unclear("it is a group norm, and a rule must tell num_groups")
        case .instance where hasBias: return .layer(InstanceNorm.type, [:])
        case .some where hasBias:
            guard !isAmongConvolutions else {
                return .unclear("beside convolutions, it may be a layer, group or instance norm; a rule can tell")
            }
            return .layer(LayerNorm.type, [:])
        case .instance, .batch, .some: return .unclear("its name does not tell its type; a rule can")
        case nil:
            guard hasBias else { return .noLayer }
            return .unclear(
                "it has a weight and a bias as a norm has them, but no name that tells its type; a rule can"
            )
        }
    }

    /// What a name says of a module.
    private enum Kind {
        case layer
        case rms
        case group
        case instance
        case batch
        /// A norm of some kind.
        case some
    }

    /// Names that the common libraries use, from the most telling to the least.
    private static func kind(of name: String) -> Kind? {
        // A number at the end counts the module among its likes.
        let word = name.reversed().drop { $0.isNumber || $0 == "_" }.reversed().filter { $0 != "_" }
        let text = String(word)
        if text.contains("groupnorm") || text == "gn" { return .group }
        if text.contains("instancenorm") { return .instance }
        if text.contains("batchnorm") || text == "bn" { return .batch }
        if text.contains("rmsnorm") { return .rms }
        if text.contains("layernorm") || ["ln", "lnf", "lnpre", "lnpost", "lnfinal"].contains(text) { return .layer }
        return text.contains("norm") ? .some : nil
    }
}
