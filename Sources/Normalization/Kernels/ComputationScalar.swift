import Tensors

/// The precisions in which layers compute.
protocol ComputationScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// The type of tensors whose elements need no conversion.
    static var dataType: DataType { get }

    static func kernels(of set: KernelSet) -> Kernels<Self>
}

extension Float: ComputationScalar {
    static var dataType: DataType { .fp32 }
    static func kernels(of set: KernelSet) -> Kernels<Float> { set.float }
}

extension Double: ComputationScalar {
    static var dataType: DataType { .fp64 }
    static func kernels(of set: KernelSet) -> Kernels<Double> { set.double }
}

extension DataType {
    /// Whether elements of this type need FP64 for nothing of them to be lost.
    var computesInDouble: Bool {
        switch self {
        case .fp64, .int32, .uint32, .int64, .uint64: true
        default: false
        }
    }
}
