import Normalization

@testable import NormalizationService
@testable import TensorFormats

extension FuzzTarget {
    /// What the header of a checkpoint, and the rules in its metadata, make of its tensors. Each layer has a name of its
    /// own; its tensors are parameters of its type, and no other layer's.
    static let checkpoint = FuzzTarget(name: "checkpoint") { input in
        let file = FuzzFile.safetensors(input)
        do throws(TensorFormatError) {
            let header = try file.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
                try SafetensorsHeader(UnsafeRawBufferPointer(bytes))
            }
            guard let rules = Self.rules(of: header) else { return }
            Self.check(CheckpointPlan(header.entries, rules))
        } catch {
            precondition(!error.description.isEmpty, "an error has words")
        }
    }

    /// - Returns: `nil` where they are none.
    private static func rules(of header: SafetensorsHeader) -> CheckpointRules? {
        let text = header.metadata.first { $0.name == "rules" }?.value
        guard let text else { return CheckpointRules.none }
        do throws(LayerRepositoryFailure) {
            return try CheckpointRules(file: Array(text.utf8))
        } catch {
            precondition(!error.description.isEmpty, "an error has words")
            return nil
        }
    }

    private static func check(_ plan: CheckpointPlan) {
        var places: Set<Range<Int>> = []
        for layer in plan.layers {
            for (name, entry) in layer.tensors {
                precondition(layer.type[name] != nil, "a layer knows its parameters")
                precondition(
                    entry.byteRange.isEmpty || places.insert(entry.byteRange).inserted,
                    "a tensor belongs to one layer"
                )
                precondition(
                    entry.name.utf8.starts(with: "\(layer.name).".utf8),
                    "a layer's tensors have its name as prefix"
                )
            }
            for name in layer.values.keys {
                precondition(layer.type[name] != nil, "a layer knows its parameters")
            }
        }
        precondition(Set(plan.layers.map(\.name)).count == plan.layers.count, "each layer has a name of its own")
    }
}
