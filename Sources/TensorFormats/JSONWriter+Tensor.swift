public import Tensors

extension JSONWriter {
    /// Writes a tensor as `{"shape", "datatype", "data"}`, its data flat or nested.
    public mutating func tensor(_ tensor: Tensor, nested: Bool) {
        self.object { writer in
            writer.tensorDescription(tensor.dataType, tensor.shape)
            writer.name("data")
            writer.tensorData(tensor, nested: nested)
        }
    }

    /// Writes a tensor whose bytes follow the JSON text, as `{"shape", "datatype", "parameters"}`.
    public mutating func binaryTensor(_ dataType: DataType, shape: Shape) {
        self.object { writer in
            writer.tensorDescription(dataType, shape)
            writer.name("parameters")
            writer.object { writer in
                writer.name("binary_data_size")
                writer.integer(shape.elementCount * dataType.byteWidth)
            }
        }
    }

    /// Writes the dimensions as an array.
    public mutating func shape(_ shape: Shape) {
        self.array { writer in
            for dimension in shape.dimensions {
                writer.integer(dimension)
            }
        }
    }

    /// Writes the elements of a tensor as one array, or as arrays nested as deep as the tensor has dimensions.
    ///
    /// Floating elements are the shortest decimals that read back to the same value in the tensor's data type. A
    /// tensor without elements is always `[]`: its dimensions before the zero may be of any size.
    public mutating func tensorData(_ tensor: Tensor, nested: Bool) {
        let isFlat = !nested || tensor.shape.elementCount == 0 || tensor.shape.rank < 2
        let dimensions = isFlat ? [tensor.shape.elementCount][...] : tensor.shape.dimensions[...]
        switch tensor.dataType {
        case .bool: self.elements(of: tensor, as: Bool.self, dimensions)
        case .uint8: self.elements(of: tensor, as: UInt8.self, dimensions)
        case .uint16: self.elements(of: tensor, as: UInt16.self, dimensions)
        case .uint32: self.elements(of: tensor, as: UInt32.self, dimensions)
        case .uint64: self.elements(of: tensor, as: UInt64.self, dimensions)
        case .int8: self.elements(of: tensor, as: Int8.self, dimensions)
        case .int16: self.elements(of: tensor, as: Int16.self, dimensions)
        case .int32: self.elements(of: tensor, as: Int32.self, dimensions)
        case .int64: self.elements(of: tensor, as: Int64.self, dimensions)
        case .fp16: self.elements(of: tensor, as: Float16.self, dimensions)
        case .bf16: self.elements(of: tensor, as: BFloat16.self, dimensions)
        case .fp32: self.elements(of: tensor, as: Float.self, dimensions)
        case .fp64: self.elements(of: tensor, as: Double.self, dimensions)
        }
    }

    private mutating func tensorDescription(_ dataType: DataType, _ shape: Shape) {
        self.name("shape")
        self.shape(shape)
        self.name("datatype")
        self.string(dataType.rawValue)
    }

    private mutating func elements<Element: TextElement>(
        of tensor: Tensor,
        as type: Element.Type,
        _ dimensions: ArraySlice<Int>
    ) {
        withExtendedLifetime(tensor.buffer) {
            self.arrays(UnsafeBufferPointer(tensor.elements(as: type)), dimensions)
        }
    }

    /// Writes `elements`, none of them missing, as arrays nested by `dimensions`.
    private mutating func arrays<Element: TextElement>(
        _ elements: UnsafeBufferPointer<Element>,
        _ dimensions: ArraySlice<Int>
    ) {
        guard dimensions.count > 1, let length = dimensions.first else { return self.row(elements) }
        let stride = elements.count / length
        self.array { writer in
            for index in 0..<length {
                let range = index * stride..<(index + 1) * stride
                writer.arrays(UnsafeBufferPointer(rebasing: elements[range]), dimensions.dropFirst())
            }
        }
    }

    /// Writes an array of numbers, many at a time into memory that needs no checks.
    private mutating func row<Element: TextElement>(_ elements: UnsafeBufferPointer<Element>) {
        let chunk = 512
        self.array { writer in
            for start in stride(from: 0, to: elements.count, by: chunk) {
                let part = UnsafeBufferPointer(rebasing: elements[start..<min(start + chunk, elements.count)])
                writer.append(capacity: part.count * (DecimalText.capacity + 1)) { text in
                    var next = text
                    for element in part {
                        next = element.write(to: next)
                        next.pointee = ASCII.comma
                        next += 1
                    }
                    // The comma after the very last element is one too many.
                    return start + chunk < elements.count ? next : next - 1
                }
            }
        }
    }
}
