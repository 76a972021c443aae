public import Tensors

/// Why bytes are not the tensors they claim to be. One case per rule; offsets count bytes of the JSON text.
public enum TensorFormatError: Error, Equatable {
    // MARK: The text is not JSON.

    /// RFC 8259 §8.1: a text must not begin with a byte order mark.
    case byteOrderMark
    /// The text ends within a value.
    case unexpectedEnd(offset: Int)
    /// RFC 8259 §2: something else must stand here; `expected` says what.
    case unexpectedByte(expected: String, pointer: String, offset: Int)
    /// RFC 8259 §2: only white space may follow the value.
    case trailingBytes(offset: Int)
    /// RFC 8259 §6: the number breaks the grammar; `rule` says which.
    case malformedNumber(rule: NumberRule, pointer: String, offset: Int)
    /// RFC 8259 §7: a backslash is followed by something else than one of `"\/bfnrt` or `u` and four hex digits.
    case invalidEscape(offset: Int)
    /// RFC 8259 §8.2: a `\u` escape is half of a surrogate pair.
    case unpairedSurrogate(offset: Int)
    /// RFC 8259 §7: characters below U+0020 are escaped.
    case controlCharacter(offset: Int)
    /// RFC 8259 §8.1: the text is UTF-8; the string that begins at `offset` is not.
    case invalidUTF8(offset: Int)
    /// RFC 8259 §4 leaves the meaning of equal names open; here they are refused.
    case duplicateMember(name: String, pointer: String, offset: Int)
    /// RFC 8259 §9: arrays and objects are nested deeper than this reader follows.
    case nestedTooDeeply(limit: Int, offset: Int)

    // MARK: The binary framing does not hold.

    /// The JSON is said to be longer than the body, or of negative length.
    case jsonLargerThanBody(jsonByteCount: Int, bodyByteCount: Int)
    /// The sizes of the binary tensors do not add up to the bytes after the JSON. `declared` is nil where the sum
    /// cannot be counted.
    case binarySizesDoNotFillBody(declared: Int?, available: Int)
    /// A tensor is said to be binary in a request that is JSON only.
    case binaryWithoutFraming(pointer: String, offset: Int)

    // MARK: The text is JSON, but not what is asked for.

    /// The object has a member that it does not know; `pointer` is that of the object.
    case unknownMember(name: String, pointer: String, offset: Int)
    /// The object lacks a member that it needs; `pointer` is that of the object.
    case missingMember(name: String, pointer: String, offset: Int)
    /// The value is of another kind; `expected` is a noun with its article.
    case wrongKind(expected: String, found: JSONKind, pointer: String, offset: Int)
    /// The number has a fraction or an exponent where an integer is needed.
    case notAnInteger(pointer: String, offset: Int)
    /// The integer does not lie in `range`.
    case integerOutOfRange(range: String, pointer: String, offset: Int)
    /// The string is no data type.
    case unknownDataType(name: String, pointer: String, offset: Int)
    /// The string is none of the words that may stand there.
    case unknownWord(String, allowed: [String], pointer: String, offset: Int)
    /// The dimensions are not a shape.
    case invalidShape(ShapeError, pointer: String, offset: Int)
    /// The array has more entries than any tensor here has dimensions.
    case tooManyDimensions(count: Int, limit: Int, pointer: String, offset: Int)
    /// The tensor is made of more elements than the caller allows. `pointer` is that of the shape where one is stated,
    /// else that of the data in which they were counted.
    case tooManyElements(Int, limit: Int, pointer: String, offset: Int)
    /// The tensor has both `data` and `parameters`.
    case dataAndBinary(pointer: String, offset: Int)
    /// The tensor has neither `data` nor `parameters`.
    case neitherDataNorBinary(pointer: String, offset: Int)

    // MARK: The elements are not those of the tensor.

    /// The element is not one of the data type: true for FP32, 1.5 for INT8, a string, null.
    case wrongElement(DataType, found: JSONKind, pointer: String, offset: Int)
    /// The element has a fraction or an exponent; the data type has only integers.
    case fractionalElement(DataType, pointer: String, offset: Int)
    /// The integer does not fit into the data type.
    case elementOutOfRange(DataType, pointer: String, offset: Int)
    /// The flat data does not fill the shape.
    case elementCount(Int, shape: Shape, pointer: String, offset: Int)
    /// The nested data has another number of dimensions than the shape.
    case nestingDisagrees(rank: Int, shape: Shape, pointer: String, offset: Int)
    /// A nested array has another length than the shape or its predecessors ask for; `found` is nil where it is longer.
    case raggedArray(expected: Int, found: Int?, pointer: String, offset: Int)
    /// An array stands where the nested data should have a number.
    case arrayForNumber(pointer: String, offset: Int)
    /// A number stands where the nested data should have an array.
    case numberForArray(pointer: String, offset: Int)
    /// A binary tensor has no stated shape.
    case binaryWithoutShape(pointer: String, offset: Int)
    /// `binary_data_size` is not what the shape and the data type need; `needed` is nil where that cannot be counted.
    case binarySize(Int, needed: Int?, dataType: DataType, shape: Shape, pointer: String, offset: Int)
    /// A byte of a binary BOOL tensor is neither 0 nor 1.
    case invalidBooleanByte(index: Int, pointer: String, offset: Int)

    // MARK: The file is not of its format.

    /// The bytes are no safetensors file, or one of its tensors cannot be had.
    case safetensors(SafetensorsFault)
    /// The bytes are no `.npy` file, or not one of a tensor.
    case npy(NPYFault)

    /// The system has no memory for the tensor.
    case outOfMemory(byteCount: Int)
}

extension TensorFormatError {
    /// Where in the JSON text the fault was noticed, in bytes; nil where it is not in the text.
    public var offset: Int? { self.place.offset }

    /// The JSON Pointer (RFC 6901) to the offending value; nil where there is none.
    public var pointer: String? { self.place.pointer }

    private var place: (pointer: String?, offset: Int?) {
        switch self {
        case .byteOrderMark:
            (nil, 0)
        case .unexpectedEnd(let offset), .trailingBytes(let offset), .invalidEscape(let offset),
            .unpairedSurrogate(let offset), .controlCharacter(let offset), .invalidUTF8(let offset),
            .nestedTooDeeply(_, let offset):
            (nil, offset)
        case .jsonLargerThanBody, .binarySizesDoNotFillBody, .safetensors, .npy, .outOfMemory:
            (nil, nil)
        case .unexpectedByte(_, let pointer, let offset), .malformedNumber(_, let pointer, let offset),
            .wrongKind(_, _, let pointer, let offset), .notAnInteger(let pointer, let offset),
            .integerOutOfRange(_, let pointer, let offset), .unknownDataType(_, let pointer, let offset),
            .unknownWord(_, _, let pointer, let offset),
            .invalidShape(_, let pointer, let offset), .tooManyDimensions(_, _, let pointer, let offset),
            .tooManyElements(_, _, let pointer, let offset),
            .dataAndBinary(let pointer, let offset), .neitherDataNorBinary(let pointer, let offset),
            .wrongElement(_, _, let pointer, let offset), .fractionalElement(_, let pointer, let offset),
            .elementOutOfRange(_, let pointer, let offset), .elementCount(_, _, let pointer, let offset),
            .nestingDisagrees(_, _, let pointer, let offset), .raggedArray(_, _, let pointer, let offset),
            .arrayForNumber(let pointer, let offset), .numberForArray(let pointer, let offset),
            .binaryWithoutShape(let pointer, let offset), .binarySize(_, _, _, _, let pointer, let offset),
            .invalidBooleanByte(_, let pointer, let offset), .binaryWithoutFraming(let pointer, let offset),
            .missingMember(_, let pointer, let offset):
            (pointer, offset)
        case .unknownMember(let name, let pointer, let offset), .duplicateMember(let name, let pointer, let offset):
            (pointer + "/" + JSONPointer.escaped(name), offset)
        }
    }
}
