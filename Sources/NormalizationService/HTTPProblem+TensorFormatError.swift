import HTTPCore
import TensorFormats
import Tensors

extension HTTPProblem {
    /// What a client is told of bytes that are not the tensors they claim to be.
    init(_ error: TensorFormatError) {
        self.init(ProblemCode(error), error.description, pointer: error.pointer, limit: error.limit)
    }

    /// What `body` returns; what it throws becomes what a client is told.
    static func wording<Value>(_ body: () throws(TensorFormatError) -> Value) throws(HTTPProblem) -> Value {
        do throws(TensorFormatError) {
            return try body()
        } catch {
            throw HTTPProblem(error)
        }
    }
}

extension ProblemCode {
    fileprivate init(_ error: TensorFormatError) {
        self =
            switch error {
            case .byteOrderMark, .unexpectedEnd, .unexpectedByte, .trailingBytes, .malformedNumber, .invalidEscape,
                .unpairedSurrogate, .controlCharacter, .invalidUTF8, .duplicateMember, .nestedTooDeeply:
                .invalidJSON
            case .jsonLargerThanBody, .binarySizesDoNotFillBody, .binaryWithoutFraming:
                .invalidBinaryFraming
            case .safetensors(.unsupportedDataType): .unsupportedDataType
            case .safetensors: .invalidSafetensors
            case .npy(.unsupportedDescr), .npy(.structuredDescr): .unsupportedDataType
            case .npy: .invalidNPY
            case .unknownMember: .unknownMember
            case .missingMember, .neitherDataNorBinary: .missingMember
            case .wrongKind, .notAnInteger: .wrongType
            case .integerOutOfRange, .dataAndBinary, .unknownWord: .invalidValue
            case .unknownDataType: .unsupportedDataType
            case .tooManyElements, .invalidShape(.tooManyElements, _, _): .tooManyElements
            case .invalidShape, .tooManyDimensions, .binaryWithoutShape: .invalidShape
            case .wrongElement, .fractionalElement, .elementOutOfRange, .elementCount, .nestingDisagrees, .raggedArray,
                .arrayForNumber, .numberForArray, .binarySize, .invalidBooleanByte:
                .invalidData
            case .outOfMemory: .outOfMemory
            }
    }
}

extension TensorFormatError {
    /// The limit that the request has run into, if it was one. What cannot be counted is beyond any.
    fileprivate var limit: Limit? {
        switch self {
        case .nestedTooDeeply: .jsonDepth
        case .tooManyElements, .invalidShape(.tooManyElements, _, _): .elements
        default: nil
        }
    }
}
