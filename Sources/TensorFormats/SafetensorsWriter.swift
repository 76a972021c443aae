public import Tensors

/// Writes safetensors files, as the reference does: the same tensors give the same bytes.
public struct SafetensorsWriter: Sendable {
    /// The file up to the bytes of the first tensor.
    public let header: [UInt8]

    /// The tensors, in the order in which their bytes follow the header, without anything between them.
    public let tensors: [Tensor]

    /// - Parameters:
    ///   - tensors: those of the file, by names that are unique and not `__metadata__`.
    ///   - metadata: sorted by name before it is written; unlike the reference's, whose order is any.
    public init(_ tensors: [(name: String, tensor: Tensor)], metadata: [(name: String, value: String)] = []) {
        // The widest types first, so that each tensor is aligned where the first one is.
        let sorted = tensors.sorted { left, right in
            let (leftRank, rightRank) = (Self.rank(left.tensor), Self.rank(right.tensor))
            return leftRank == rightRank
                ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8) : leftRank > rightRank
        }
        var text = JSONWriter()
        text.object { text in
            if !metadata.isEmpty {
                text.name(SafetensorsHeader.metadataName)
                text.object { text in
                    for (name, value) in metadata.sorted(by: { $0.name < $1.name }) {
                        text.name(name)
                        text.string(value)
                    }
                }
            }
            var end = 0
            for (name, tensor) in sorted {
                precondition(name != SafetensorsHeader.metadataName, "no tensor has the name of the metadata")
                text.name(name)
                text.object { text in
                    text.name("dtype")
                    text.string(SafetensorsDataType(tensor.dataType).rawValue)
                    text.name("shape")
                    text.shape(tensor.shape)
                    text.name("data_offsets")
                    text.array { text in
                        text.integer(end)
                        text.integer(end + tensor.byteCount)
                    }
                }
                end += tensor.byteCount
            }
        }
        var json = text.bytes
        // The reference pads with spaces, so that the first tensor is aligned to eight bytes.
        json += Array(repeating: ASCII.space, count: -json.count & (SafetensorsHeader.lengthByteCount - 1))
        self.header = withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
        self.tensors = sorted.map(\.tensor)
    }

    /// The place of the tensor's type in the order of the reference.
    private static func rank(_ tensor: Tensor) -> Int {
        SafetensorsDataType(tensor.dataType).rank
    }
}
