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
        var dimensions: [Int] = []
        var count = 0
        try self.readArray { (reader) throws(TensorFormatError) in
            let dimension = try reader.readInteger()
            count += 1
            if count <= JSONTensor.rankLimit {
                dimensions.append(dimension)
            }
        }
        guard count == dimensions.count else {
            throw .tooManyDimensions(count: count, limit: JSONTensor.rankLimit, pointer: self.pointer, offset: offset)
        }
        do throws(ShapeError) {
            return try Shape(dimensions)
        } catch {
            throw .invalidShape(error, pointer: self.pointer, offset: offset)
        }
    }

    /// Reads the name of a data type, as `"FP32"`.
    public mutating func readDataType() throws(TensorFormatError) -> DataType {
        _ = try self.peekToken()
        let offset = self.position
        let name = try self.readString()
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
            _ = try reader.peekToken()
            let offset = reader.position
            let size = try reader.readInteger()
            guard size >= 0 else {
                throw .integerOutOfRange(range: "a number of bytes", pointer: reader.pointer, offset: offset)
            }
            byteCount = size
        }
        guard let byteCount else {
            throw .missingMember(name: "binary_data_size", pointer: self.pointer, offset: offset)
        }
        return byteCount
    }

    /// Passes over an array by matching its brackets; what else is in it is judged when it is decoded.
    private mutating func skipArray() throws(TensorFormatError) -> (range: Range<Int>, isNested: Bool) {
        try self.expect(.array)
        let start = self.position
        let firstElement = self.text[(start + 1)...].first { !$0.isJSONSpace }
        var level = self.depth
        repeat {
            switch try self.nextStructuralByte() {
            case ASCII.openBracket:
                guard level < self.nestingLimit else {
                    throw .nestedTooDeeply(limit: self.nestingLimit, offset: self.position)
                }
                level += 1
                self.position += 1
            case ASCII.closeBracket:
                level -= 1
                self.position += 1
            default:
                _ = try self.readString()
            }
        } while level > self.depth
        return (start..<self.position, firstElement == ASCII.openBracket)
    }

    /// Moves on to the next bracket or quotation mark and returns it.
    private mutating func nextStructuralByte() throws(TensorFormatError) -> UInt8 {
        while self.position + 8 <= self.text.count {
            let word = self.text.loadUnaligned(fromByteOffset: self.position, as: UInt64.self)
            // A byte that is 0 here is a quotation mark, or a bracket or one of the few near them that no number has.
            let quotes = word ^ 0x2222_2222_2222_2222
            let brackets = (word | 0x0606_0606_0606_0606) ^ 0x5f5f_5f5f_5f5f_5f5f
            let lowBits: UInt64 = 0x0101_0101_0101_0101
            let found = (quotes &- lowBits) & ~quotes | (brackets &- lowBits) & ~brackets
            guard found & (lowBits << 7) == 0 else { break }
            self.position += 8
        }
        while self.position < self.text.count {
            switch self.text[self.position] {
            case ASCII.openBracket, ASCII.closeBracket, ASCII.quote: return self.text[self.position]
            default: self.position += 1
            }
        }
        throw .unexpectedEnd(offset: self.text.count)
    }
}
