import AlignedMemory
public import Tensors

extension JSONTensor {
    /// Decodes the elements into new memory, each rounded once to the stated data type, or else to `defaultType`.
    ///
    /// `text` is the text that the tensor was read from. A tensor whose elements are not in it is an error, and so is
    /// one of more than `elementLimit` elements, for which no memory is taken.
    public func decode(
        from text: UnsafeRawBufferPointer,
        default defaultType: DataType,
        elementLimit: Int = .max
    ) throws(TensorFormatError) -> Tensor {
        guard case .text(let range) = self.content else {
            throw .binaryWithoutFraming(pointer: self.pointer, offset: self.offset)
        }
        precondition(range.upperBound <= text.count, "the text is that from which the tensor was read")
        let bytes = UnsafeRawBufferPointer(rebasing: text[range])
        try self.checkStatedElementCount(limit: elementLimit)
        try self.checkCountedElements(bytes, limit: elementLimit)
        return switch self.dataType ?? defaultType {
        case .bool: try self.decode(bytes, range, as: Bool.self, .bool)
        case .uint8: try self.decode(bytes, range, as: UInt8.self, .uint8)
        case .uint16: try self.decode(bytes, range, as: UInt16.self, .uint16)
        case .uint32: try self.decode(bytes, range, as: UInt32.self, .uint32)
        case .uint64: try self.decode(bytes, range, as: UInt64.self, .uint64)
        case .int8: try self.decode(bytes, range, as: Int8.self, .int8)
        case .int16: try self.decode(bytes, range, as: Int16.self, .int16)
        case .int32: try self.decode(bytes, range, as: Int32.self, .int32)
        case .int64: try self.decode(bytes, range, as: Int64.self, .int64)
        case .fp16: try self.decode(bytes, range, as: Float16.self, .fp16)
        case .bf16: try self.decode(bytes, range, as: BFloat16.self, .bf16)
        case .fp32: try self.decode(bytes, range, as: Float.self, .fp32)
        case .fp64: try self.decode(bytes, range, as: Double.self, .fp64)
        }
    }

    private func decode<Element: TextElement>(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        as type: Element.Type,
        _ dataType: DataType
    ) throws(TensorFormatError) -> Tensor {
        let expected = try self.expectedDimensions(of: bytes)
        // A stated shape is believed no further than the text goes.
        let capacity = self.shape?.elementCount ?? Self.largestElementCount(bytes)
        guard capacity <= bytes.count / 2 else { throw self.countMismatch(bytes) }
        let memory = try Self.allocate(dataType, Self.shape([capacity]))
        var decoder = ArrayDecoder(bytes, dimensions: expected, into: memory.elements(as: type))
        do throws(ArrayFault) {
            if self.isNested || self.shape == nil {
                try decoder.decodeNested()
            } else {
                try decoder.decodeFlat()
            }
        } catch {
            let place = decoder.indices.prefix(error.level).reduce(self.dataPointer) { "\($0)/\($1)" }
            throw self.error(for: error.reason, dataType, bytes, pointer: place, range.lowerBound + error.position)
        }
        let shape =
            if let shape = self.shape { shape } else { try Self.shape(decoder.dimensions.map { $0 ?? 0 }) }
        return Tensor(dataType, shape: shape, in: memory.buffer, at: memory.byteOffset)
    }

    /// Makes sure that a stated shape makes no more than `limit` elements.
    func checkStatedElementCount(limit: Int) throws(TensorFormatError) {
        guard let shape = self.shape, shape.elementCount > limit else { return }
        throw .tooManyElements(
            shape.elementCount,
            limit: limit,
            pointer: self.pointer + "/shape",
            offset: self.offset
        )
    }

    /// Makes sure that no more than `limit` elements stand in the text where no shape says how many there are.
    private func checkCountedElements(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(TensorFormatError) {
        // Most texts are too short for so many elements, and need not be counted.
        guard self.shape == nil, bytes.count / 2 > limit else { return }
        let count = Self.largestElementCount(bytes)
        // Commas between empty arrays stand for no elements.
        guard count > limit, !bytes.allSatisfy(\.isPartOfEmptyArrays) else { return }
        throw .tooManyElements(count, limit: limit, pointer: self.dataPointer, offset: self.dataOffset)
    }

    /// The lengths of the nested arrays, from the outermost to the rows; nil where no shape states them.
    private func expectedDimensions(of bytes: UnsafeRawBufferPointer) throws(TensorFormatError) -> [Int?] {
        let rank = bytes.prefix { $0 == ASCII.openBracket || $0.isJSONSpace }.count { $0 == ASCII.openBracket }
        guard rank <= Self.rankLimit else {
            throw .tooManyDimensions(
                count: rank,
                limit: Self.rankLimit,
                pointer: self.dataPointer,
                offset: self.dataOffset
            )
        }
        guard let shape = self.shape else { return Array(repeating: nil, count: rank) }
        guard self.isNested else { return [nil] }
        // Nothing can be nested within no arrays: a zero is the last dimension that the text can show.
        let shown = shape.dimensions.prefix((shape.dimensions.firstIndex(of: 0) ?? shape.rank - 1) + 1)
        guard shown.count == rank else {
            throw .nestingDisagrees(rank: rank, shape: shape, pointer: self.dataPointer, offset: self.dataOffset)
        }
        return Array(shown)
    }

    private func error(
        for reason: ArrayFault.Reason,
        _ dataType: DataType,
        _ bytes: UnsafeRawBufferPointer,
        pointer: String,
        _ offset: Int
    ) -> TensorFormatError {
        switch reason {
        case .element(.malformed(let rule)): .malformedNumber(rule: rule, pointer: pointer, offset: offset)
        case .element(.notAValue): .unexpectedByte(expected: "a number", pointer: pointer, offset: offset)
        case .element(.array): .arrayForNumber(pointer: pointer, offset: offset)
        case .element(.wrongKind(let kind)): .wrongElement(dataType, found: kind, pointer: pointer, offset: offset)
        case .element(.fraction): .fractionalElement(dataType, pointer: pointer, offset: offset)
        case .element(.outOfRange): .elementOutOfRange(dataType, pointer: pointer, offset: offset)
        case .separator: .unexpectedByte(expected: "',' or ']'", pointer: pointer, offset: offset)
        case .ragged(let expected, let found):
            .raggedArray(expected: expected, found: found, pointer: pointer, offset: offset)
        case .numberForArray: .numberForArray(pointer: pointer, offset: offset)
        case .count: self.countMismatch(bytes)
        }
    }

    /// The error for flat data that does not fill its shape.
    private func countMismatch(_ bytes: UnsafeRawBufferPointer) -> TensorFormatError {
        guard let shape = self.shape else { preconditionFailure("only a stated shape is filled") }
        let isEmpty = bytes.dropFirst().first { !$0.isJSONSpace } == ASCII.closeBracket
        let count = isEmpty ? 0 : Self.commaCount(bytes) + 1
        return .elementCount(count, shape: shape, pointer: self.dataPointer, offset: self.dataOffset)
    }

    /// How many elements there can be: each takes a digit, and all but the last a comma.
    private static func largestElementCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        min(Self.commaCount(bytes) + 1, bytes.count / 2)
    }

    /// The number of commas, counted eight bytes at a time.
    private static func commaCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        let wholeWords = bytes.count & ~7
        var total = bytes[wholeWords...].count { $0 == ASCII.comma }
        for offset in stride(from: 0, to: wholeWords, by: 8) {
            let differences = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ 0x2c2c_2c2c_2c2c_2c2c
            let lowBits: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
            // The high bit of each byte that is a comma; no byte carries into the next. The product adds them up.
            let commas = ~(((differences & lowBits) + lowBits) | differences | lowBits)
            total += Int(((commas >> 7) &* 0x0101_0101_0101_0101) >> 56)
        }
        return total
    }

    /// Where the elements, or else the tensor, begin in the text.
    private var dataOffset: Int {
        if case .text(let range) = self.content { range.lowerBound } else { self.offset }
    }

    /// A shape whose dimensions were counted in the text.
    private static func shape(_ dimensions: [Int]) throws(TensorFormatError) -> Shape {
        do throws(ShapeError) {
            return try Shape(dimensions)
        } catch {
            preconditionFailure("what stands in memory can be counted")
        }
    }

    static func allocate(_ dataType: DataType, _ shape: Shape) throws(TensorFormatError) -> Tensor {
        do throws(AllocationError) {
            return try Tensor(uninitialized: dataType, shape: shape)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
    }
}

extension UInt8 {
    /// Whether the byte may stand in an array that holds nothing but empty arrays.
    fileprivate var isPartOfEmptyArrays: Bool {
        self == ASCII.openBracket || self == ASCII.closeBracket || self == ASCII.comma || self.isJSONSpace
    }
}
