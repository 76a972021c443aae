import HTTPCore
import TensorFormats

extension HTTPProblem {
    /// What a client is told of bytes that are not the tensors they claim to be.
    init(_ error: TensorFormatError) {
        self.init(ProblemCode(error), error.description, pointer: error.pointer)
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
            case .unknownMember: .unknownMember
            case .missingMember, .neitherDataNorBinary: .missingMember
            case .wrongKind, .notAnInteger: .wrongType
            case .integerOutOfRange, .dataAndBinary, .unknownWord: .invalidValue
            case .unknownDataType: .unsupportedDataType
            case .invalidShape, .tooManyDimensions, .binaryWithoutShape: .invalidShape
            case .wrongElement, .fractionalElement, .elementOutOfRange, .elementCount, .nestingDisagrees, .raggedArray,
                .arrayForNumber, .numberForArray, .binarySize, .invalidBooleanByte:
                .invalidData
            case .outOfMemory: .outOfMemory
            }
    }
}
