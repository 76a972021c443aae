import AlignedMemory
import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// What a layer is registered with: its type and its parameters, as they were given.
struct LayerDefinition: Sendable {
    let type: LayerType

    /// The type of the tensors that the Open Inference Protocol announces for the layer.
    let dataType: DataType

    /// Tensors stand in memory of their own, which is on no request's account.
    let values: [ParameterName: ParameterValue]

    /// The tensors among them that came without a data type. They are held as FP64, and are of the precision of the
    /// computation (API section 2).
    let untyped: Set<ParameterName>

    /// - Parameter dataType: what was asked for; by default the type of the parameter tensors where they agree, else FP32.
    init(
        _ type: LayerType,
        dataType: DataType?,
        values: [ParameterName: ParameterValue],
        untyped: Set<ParameterName>
    ) {
        self.type = type
        self.dataType = dataType ?? Self.commonType(of: values, untyped: untyped)
        self.values = values
        self.untyped = untyped
    }

    /// The tensors' own data type, if it is one and floating; else FP32.
    private static func commonType(
        of values: [ParameterName: ParameterValue],
        untyped: Set<ParameterName>
    ) -> DataType {
        var types: Set<DataType> = []
        for case (let name, .tensor(let tensor)) in values where !untyped.contains(name) {
            types.insert(tensor.dataType)
        }
        guard types.count == 1, let type = types.first, type.isFloatingPoint else { return .fp32 }
        return type
    }

    /// The parameters for computations in `precision`, which is FP32 or FP64, as those read them without converting them
    /// for each request: layers over channels compute their coefficients in FP64, others scale rows in `precision`.
    func parameters(precision: DataType) throws(AllocationError) -> LayerParameters {
        var values = self.values
        for (name, value) in self.values {
            guard case .tensor(var tensor) = value else { continue }
            if self.untyped.contains(name), precision == .fp32 {
                tensor = try tensor.kept(as: .fp32)
            }
            if let form = self.preparedType(precision: precision), name != .style {
                tensor = try tensor.kept(as: form)
            }
            values[name] = .tensor(tensor)
        }
        return LayerParameters(values)
    }

    /// What the layer's kernels read parameters as; `nil` where that is not known.
    private func preparedType(precision: DataType) -> DataType? {
        if self.type[.dataFormat] != nil || self.type.name == "standardize" { return .fp64 }
        return self.type[.normalizedShape] == nil ? nil : precision
    }
}

extension Tensor {
    /// The same elements in memory that is on nobody's account: it stays when the request is over.
    func kept() throws(AllocationError) -> Tensor {
        let copy = try Self.keeping(self.dataType, self.shape)
        copy.bytes.copyMemory(from: UnsafeRawBufferPointer(self.bytes))
        withExtendedLifetime(self.buffer) {}
        return copy
    }

    /// New memory that no budget counts.
    static func keeping(_ dataType: DataType, _ shape: Shape) throws(AllocationError) -> Tensor {
        let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
        guard !overflow else { throw AllocationError(byteCount: .max) }
        return Tensor(dataType, shape: shape, in: try .keeping(capacity: byteCount), at: 0)
    }
}

extension AlignedBuffer {
    /// Memory that no budget counts.
    static func keeping(capacity: Int) throws(AllocationError) -> AlignedBuffer {
        try MemoryBudget.$current.withValue(nil) {
            Result { () throws(AllocationError) in try AlignedBuffer(capacity: capacity) }
        }.get()
    }
}
