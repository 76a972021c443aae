public import Tensors

/// The element type of a tensor in a safetensors file, by the names of the format. Some are no types of tensors here:
/// files that hold them can be read, their tensors cannot.
public enum SafetensorsDataType: String, CaseIterable, Hashable, Sendable {
    // In the order of the reference, by which its writer sorts tensors: wider ones come later.
    case bool = "BOOL"
    case f4 = "F4"
    case f6E2M3 = "F6_E2M3"
    case f6E3M2 = "F6_E3M2"
    case u8 = "U8"
    case i8 = "I8"
    case f8E5M2 = "F8_E5M2"
    case f8E4M3 = "F8_E4M3"
    case f8E8M0 = "F8_E8M0"
    case f8E4M3FNUZ = "F8_E4M3FNUZ"
    case f8E5M2FNUZ = "F8_E5M2FNUZ"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case c64 = "C64"
    case f64 = "F64"
    case i64 = "I64"
    case u64 = "U64"

    public init(_ dataType: DataType) {
        self =
            switch dataType {
            case .bool: .bool
            case .uint8: .u8
            case .uint16: .u16
            case .uint32: .u32
            case .uint64: .u64
            case .int8: .i8
            case .int16: .i16
            case .int32: .i32
            case .int64: .i64
            case .fp16: .f16
            case .bf16: .bf16
            case .fp32: .f32
            case .fp64: .f64
            }
    }

    /// The same type of a tensor here; nil where there is none.
    public var dataType: DataType? { DataType.allCases.first { Self($0) == self } }

    /// The size of an element in bits; elements of less than a byte are packed.
    public var bitWidth: Int {
        switch self {
        case .f4: 4
        case .f6E2M3, .f6E3M2: 6
        case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
        case .i16, .u16, .f16, .bf16: 16
        case .i32, .u32, .f32: 32
        case .c64, .f64, .i64, .u64: 64
        }
    }

    /// Its place in the order of the reference.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
