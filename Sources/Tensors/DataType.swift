/// The element type of a tensor, by the names of the Open Inference Protocol. Little-endian in memory and on the wire.
public enum DataType: String, CaseIterable, Hashable, Sendable {
    /// One byte, 0 or 1.
    case bool = "BOOL"
    case uint8 = "UINT8"
    case uint16 = "UINT16"
    case uint32 = "UINT32"
    case uint64 = "UINT64"
    case int8 = "INT8"
    case int16 = "INT16"
    case int32 = "INT32"
    case int64 = "INT64"
    /// IEEE 754 binary16.
    case fp16 = "FP16"
    /// The upper half of an IEEE 754 binary32.
    case bf16 = "BF16"
    /// IEEE 754 binary32.
    case fp32 = "FP32"
    /// IEEE 754 binary64.
    case fp64 = "FP64"

    /// The size of an element in bytes.
    public var byteWidth: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .fp16, .bf16: 2
        case .uint32, .int32, .fp32: 4
        case .uint64, .int64, .fp64: 8
        }
    }

    /// Whether the type is one of the four floating types, which are also the possible types of an output.
    public var isFloatingPoint: Bool {
        switch self {
        case .fp16, .bf16, .fp32, .fp64: true
        default: false
        }
    }
}
