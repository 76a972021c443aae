public import AlignedMemory
public import Tensors

extension JSONWriter {
    /// Writes a tensor as `{"shape", "datatype", "data"}`, its data flat or nested.
    public mutating func tensor(_ tensor: Tensor, nested: Bool) throws(AllocationError) {
        try self.object { (writer) throws(AllocationError) in
            writer.tensorDescription(tensor.dataType, tensor.shape)
            writer.name("data")
            try writer.tensorData(tensor, nested: nested)
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
    public mutating func tensorData(_ tensor: Tensor, nested: Bool) throws(AllocationError) {
        self.append(try TensorText(tensor, nested: nested))
    }

    private mutating func tensorDescription(_ dataType: DataType, _ shape: Shape) {
        self.name("shape")
        self.shape(shape)
        self.name("datatype")
        self.string(dataType.rawValue)
    }
}
