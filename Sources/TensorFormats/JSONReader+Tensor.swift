import Tensors

extension JSONReader {
    /// Reads a tensor: a (nested) array of numbers, or an object with `data` or `parameters`, and maybe `shape` and
    /// `datatype`. The numbers are only passed over; `JSONTensor.decode` reads them.
    public mutating func readTensor() throws(TensorFormatError) -> JSONTensor {
        switch try self.peekKind() {
        case .array:
            let offset = self.position
            let data = try self.skipArray()
            return JSONTensor(
                shape: nil,
                dataType: nil,
                content: .text(data.range),
                isNested: data.isNested,
                path: self.path,
                isObject: false,
                offset: offset
            )
        case .object:
            return try self.readTensorObject()
        default:
            throw try self.wrongKind(expected: "a tensor: an array of numbers, or an object with shape and data")
        }
    }

    private mutating func readTensorObject() throws(TensorFormatError) -> JSONTensor {
        let offset = self.position
        var shape: Shape?
        var dataType: DataType?
        var data: (range: Range<Int>, isNested: Bool)?
        var byteCount: Int?
        try self.readObject { (reader, name) throws(TensorFormatError) in
            switch name {
            case "shape": shape = try reader.readShape()
            case "datatype": dataType = try reader.readDataType()
            case "data": data = try reader.skipArray()
            case "parameters": byteCount = try reader.readBinaryDataSize()
            default: throw reader.unknownMember(name)
            }
        }
        let content: JSONTensor.Content
        switch (data, byteCount) {
        case (let data?, nil): content = .text(data.range)
        case (nil, let byteCount?): content = .binary(byteCount: byteCount)
        case (nil, nil): throw .neitherDataNorBinary(pointer: self.pointer, offset: offset)
        default: throw .dataAndBinary(pointer: self.pointer, offset: offset)
        }
        return JSONTensor(
            shape: shape,
            dataType: dataType,
            content: content,
            isNested: data?.isNested ?? false,
            path: self.path,
            isObject: true,
            offset: offset
        )
    }

    /// Reads the dimensions of a tensor, as `[2, 3]`.
    public mutating func readShape() throws(TensorFormatError) -> Shape {
        _ = try self.peekToken()
        let offset = self.position
        let dimensions = try self.readIntegers(limit: JSONTensor.rankLimit)
        do throws(ShapeError) {
            return try Shape(dimensions)
        } catch {
            throw .invalidShape(error, pointer: self.pointer, offset: offset)
        }
    }

    /// Reads an array of at most `limit` integers, one for each dimension or axis.
    public mutating func readIntegers(limit: Int) throws(TensorFormatError) -> [Int] {
        _ = try self.peekToken()
        let offset = self.position
        var integers: [Int] = []
        var count = 0
        try self.readArray { (reader) throws(TensorFormatError) in
            let integer = try reader.readInteger()
            count += 1
            if count <= limit {
                integers.append(integer)
            }
        }
        guard count == integers.count else {
            throw .tooManyDimensions(count: count, limit: limit, pointer: self.pointer, offset: offset)
        }
        return integers
    }

    /// Reads the name of a data type, as `"FP32"`.
    public mutating func readDataType() throws(TensorFormatError) -> DataType {
        _ = try self.peekToken()
        let offset = self.position
        let name = try self.readWord()
        guard let dataType = DataType(rawValue: name) else {
            throw .unknownDataType(name: name, pointer: self.pointer, offset: offset)
        }
        return dataType
    }

    /// Reads `{"binary_data_size": BYTES}` (Open Inference Protocol, binary tensor data extension).
    private mutating func readBinaryDataSize() throws(TensorFormatError) -> Int {
        _ = try self.peekToken()
        let offset = self.position
        var byteCount: Int?
        try self.readObject { (reader, name) throws(TensorFormatError) in
            guard name == "binary_data_size" else { throw reader.unknownMember(name) }
            byteCount = try reader.readByteCount()
        }
        guard let byteCount else {
            throw .missingMember(name: "binary_data_size", pointer: self.pointer, offset: offset)
        }
        return byteCount
    }

    /// Reads an integer that is not negative.
    mutating func readByteCount() throws(TensorFormatError) -> Int {
        _ = try self.peekToken()
        let offset = self.position
        let size = try self.readInteger()
        guard size >= 0 else {
            throw .integerOutOfRange(range: "a number of bytes", pointer: self.pointer, offset: offset)
        }
        return size
    }
}
