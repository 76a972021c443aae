import AlignedMemory
import HTTPCore
import Normalization
import Tensors

/// One version of a layer that requests call by its name: checked and prepared once, never changed.
final class RegisteredLayer: Sendable {
    let name: LayerName
    let version: LayerVersion
    let definition: LayerDefinition

    /// What inputs it takes.
    let geometry: LayerGeometry

    /// Whether the administrator cannot replace or remove it: it comes from a checkpoint.
    let isReadOnly: Bool

    /// What clients of the Open Inference Protocol asked of it.
    let statistics: ModelStatistics

    private let single: any NormalizationLayer
    private let double: any NormalizationLayer

    /// - Parameter statistics: those of the same version before it was read again.
    init(
        _ name: LayerName,
        _ version: LayerVersion,
        _ prepared: PreparedLayer,
        isReadOnly: Bool = false,
        statistics: ModelStatistics = ModelStatistics()
    ) {
        self.name = name
        self.version = version
        self.isReadOnly = isReadOnly
        self.statistics = statistics
        self.definition = prepared.definition
        self.geometry = prepared.geometry
        self.single = prepared.single
        self.double = prepared.double
    }

    var type: LayerType { self.definition.type }

    /// The type that the Open Inference Protocol announces.
    var dataType: DataType { self.definition.dataType }

    /// The layer for an input of some type.
    func layer(for input: DataType) -> any NormalizationLayer {
        input == .fp64 ? self.double : self.single
    }
}

/// A layer with all that is found out about it before it has a name.
struct PreparedLayer: Sendable {
    let definition: LayerDefinition
    let geometry: LayerGeometry
    let single: any NormalizationLayer
    let double: any NormalizationLayer

    /// Checks all that can be checked without an input.
    init(_ definition: LayerDefinition) throws(LayerError) {
        self.definition = definition
        self.geometry = LayerGeometry(definition)
        self.double = try Self.layer(definition, precision: .fp64)
        self.single = try Self.layer(definition, precision: .fp32)
    }

    private static func layer(
        _ definition: LayerDefinition,
        precision: DataType
    ) throws(LayerError) -> any NormalizationLayer {
        let parameters: LayerParameters
        do throws(AllocationError) {
            parameters = try definition.parameters(precision: precision)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
        // What the layer computes once stays, and is on no request's account.
        return try MemoryBudget.$current.withValue(nil) {
            Result { () throws(LayerError) in try definition.type.makeLayer(parameters) }
        }.get()
    }
}
