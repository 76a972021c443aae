import Tensors

extension TensorFormatError: CustomStringConvertible {
    /// One sentence that names the member, what it was, and what it should be. Never holds tensor data.
    public var description: String {
        switch self {
        case .byteOrderMark:
            "the JSON begins with a byte order mark at byte 0; it must be UTF-8 without one"
        case .unexpectedEnd(let offset):
            "the JSON ends at byte \(offset), within a value"
        case .unexpectedByte(let expected, let pointer, let offset):
            "expected \(expected) at byte \(offset)\(Self.inside(pointer))"
        case .trailingBytes(let offset):
            "the JSON should end, but more text follows at byte \(offset)"
        case .malformedNumber(let rule, let pointer, let offset):
            "the number at byte \(offset)\(Self.inside(pointer)) is not JSON: \(rule)"
        case .invalidEscape(let offset):
            "the escape at byte \(offset) is none of JSON's: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"
        case .unpairedSurrogate(let offset):
            "the \\u escape at byte \(offset) is half of a surrogate pair; the other half is missing"
        case .controlCharacter(let offset):
            "the control character at byte \(offset) must be written as an escape"
        case .invalidUTF8(let offset):
            "the string at byte \(offset) is not valid UTF-8"
        case .duplicateMember(let name, let pointer, let offset):
            "the member \(Self.quoted(name))\(Self.inside(pointer)) is given twice, again at byte \(offset)"
        case .nestedTooDeeply(let limit, let offset):
            "the JSON is nested deeper than \(Self.counted(limit, "level")) at byte \(offset)"

        case .jsonLargerThanBody(let jsonByteCount, let bodyByteCount):
            "the JSON header is said to have \(Self.counted(jsonByteCount, "byte")); the body has \(bodyByteCount)"
        case .binarySizesDoNotFillBody(let declared?, let available):
            "the binary tensors need \(Self.counted(declared, "byte")); the JSON header is followed by \(available)"
        case .binarySizesDoNotFillBody(nil, let available):
            "the binary tensors need more bytes than can be counted; the JSON header is followed by \(available)"
        case .binaryWithoutFraming(let pointer, _):
            "\(Self.named(pointer)) has a binary_data_size, but the request does not say where its JSON ends"

        case .unknownMember(let name, let pointer, _):
            "unknown member \(Self.quoted(name))\(Self.inside(pointer))"
        case .missingMember(let name, let pointer, _):
            "\(Self.named(pointer)) has no member \(Self.quoted(name))"
        case .wrongKind(let expected, let found, let pointer, _):
            "\(Self.named(pointer)) is \(found); it must be \(expected)"
        case .notAnInteger(let pointer, _):
            "\(Self.named(pointer)) has a fraction or an exponent; it must be an integer"
        case .integerOutOfRange(let range, let pointer, _):
            "\(Self.named(pointer)) is out of range; it must be \(range)"
        case .unknownDataType(let name, let pointer, _):
            "\(Self.named(pointer)) is \(Self.quoted(name)); it must be one of \(Self.dataTypes)"
        case .unknownWord(let word, let allowed, let pointer, _):
            "\(Self.named(pointer)) is \(Self.quoted(word)); it must be \(Self.alternatives(allowed))"
        case .invalidShape(let error, let pointer, _):
            "\(Self.named(pointer)) is not a shape: \(error)"
        case .tooManyDimensions(let count, let limit, let pointer, _):
            "\(Self.named(pointer)) has \(Self.counted(count, "dimension")); at most \(limit) are possible"
        case .tooManyElements(let count, let limit, let pointer, _):
            "\(Self.named(pointer)) makes a tensor of \(Self.counted(count, "element")); at most \(limit) are allowed"
        case .dataAndBinary(let pointer, _):
            "\(Self.named(pointer)) has both data and parameters.binary_data_size; it must have one of them"
        case .neitherDataNorBinary(let pointer, _):
            "\(Self.named(pointer)) has neither data nor parameters.binary_data_size; it must have one of them"
        case .wrongElement, .fractionalElement, .elementOutOfRange, .elementCount, .nestingDisagrees, .raggedArray,
            .arrayForNumber, .numberForArray, .binaryWithoutShape, .binarySize, .invalidBooleanByte:
            self.elementDescription
        case .safetensors(let fault):
            "this is no safetensors file: \(fault)"
        case .npy(let fault):
            "this is no .npy file that can be read: \(fault)"
        case .outOfMemory(let byteCount):
            "there is no memory for a tensor of \(Self.counted(byteCount, "byte"))"
        }
    }

    private var elementDescription: String {
        switch self {
        case .wrongElement(let dataType, let found, let pointer, _):
            "\(Self.named(pointer)) is \(found); \(dataType.rawValue) needs \(Self.literals(of: dataType))"
        case .fractionalElement(let dataType, let pointer, _):
            "\(Self.named(pointer)) has a fraction or an exponent; \(dataType.rawValue) needs"
                + " \(Self.literals(of: dataType))"
        case .elementOutOfRange(let dataType, let pointer, _):
            "\(Self.named(pointer)) is out of range; \(dataType.rawValue) holds \(Self.range(of: dataType))"
        case .elementCount(let count, let shape, let pointer, _):
            "\(Self.named(pointer)) has \(Self.counted(count, "element")); the shape \(shape) needs \(shape.elementCount)"
        case .nestingDisagrees(let rank, let shape, let pointer, _):
            "\(Self.named(pointer)) is nested \(rank) deep; the shape \(shape) has \(Self.counted(shape.rank, "dimension"))"
        case .raggedArray(let expected, let found?, let pointer, _):
            "\(Self.named(pointer)) has \(Self.counted(found, "element")); it must have \(expected)"
        case .raggedArray(let expected, nil, let pointer, _):
            "\(Self.named(pointer)) has more than \(Self.counted(expected, "element")); it must have \(expected)"
        case .arrayForNumber(let pointer, _):
            "\(Self.named(pointer)) is an array; by the nesting before it, it must be a number"
        case .numberForArray(let pointer, _):
            "\(Self.named(pointer)) is not an array; by the nesting before it, it must be one"
        case .binaryWithoutShape(let pointer, _):
            "\(Self.named(pointer)) is binary and has no shape; it must state one"
        case .binarySize(let size, let needed, let dataType, let shape, let pointer, _):
            "\(Self.named(pointer)) has \(Self.counted(size, "byte")); \(dataType.rawValue) of shape \(shape) needs "
                + (needed.map(String.init) ?? "more than can be counted")
        case .invalidBooleanByte(let index, let pointer, _):
            "element \(index) of \(Self.named(pointer)) is neither 0 nor 1; BOOL is one of them"
        default:
            preconditionFailure("described above")
        }
    }
}

extension TensorFormatError {
    private static let dataTypes = DataType.allCases.map(\.rawValue).joined(separator: ", ")

    /// `1 byte`, `2 bytes`.
    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    /// `a, b or c`.
    private static func alternatives(_ words: [String]) -> String {
        guard words.count > 1, let last = words.last else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    private static func named(_ pointer: String) -> String {
        pointer.isEmpty ? "the JSON text" : Self.printable(pointer)
    }

    private static func inside(_ pointer: String) -> String {
        pointer.isEmpty ? "" : " in \(Self.printable(pointer))"
    }

    /// What stands in JSON for an element of the type.
    private static func literals(of dataType: DataType) -> String {
        switch dataType {
        case .bool: "true, false, 0 or 1"
        case .fp16, .bf16, .fp32, .fp64: "a number, or one of the strings NaN, Infinity and -Infinity"
        default: "an integer without a fraction or an exponent"
        }
    }

    private static func range(of dataType: DataType) -> String {
        switch dataType {
        case .bool: "0 and 1"
        case .uint8: "\(UInt8.min) to \(UInt8.max)"
        case .uint16: "\(UInt16.min) to \(UInt16.max)"
        case .uint32: "\(UInt32.min) to \(UInt32.max)"
        case .uint64: "\(UInt64.min) to \(UInt64.max)"
        case .int8: "\(Int8.min) to \(Int8.max)"
        case .int16: "\(Int16.min) to \(Int16.max)"
        case .int32: "\(Int32.min) to \(Int32.max)"
        case .int64: "\(Int64.min) to \(Int64.max)"
        case .fp16, .bf16, .fp32, .fp64: "any number"
        }
    }

    /// A name from the client in single quotes, at most 64 characters.
    static func quoted(_ name: String) -> String {
        let kept = String(name.unicodeScalars.prefix(64))
        return "'\(Self.printable(kept))\(kept.unicodeScalars.count < name.unicodeScalars.count ? "…" : "")'"
    }

    /// Control characters come out as escapes, so that a name cannot break a log line.
    private static func printable(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: result += character.escaped(asASCII: true)
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
