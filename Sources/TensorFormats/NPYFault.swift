public import Tensors

/// Why bytes are no `.npy` file that can be read here. One case per rule of the format, as `numpy.lib.format` documents
/// and checks it; offsets count from the beginning of the file.
public enum NPYFault: Equatable, Sendable {
    /// The file does not begin with `\x93NUMPY`.
    case noMagic
    /// The version is none of 1.0, 2.0 and 3.0.
    case unsupportedVersion(major: UInt8, minor: UInt8)
    /// The file ends before the length of the header does.
    case noHeaderLength(byteCount: Int)
    /// The header is longer than numpy reads unless told to.
    case headerTooLarge(byteCount: Int, limit: Int)
    /// The header ends behind the file.
    case headerBeyondEnd(byteCount: Int, available: Int)
    /// The header is no Python literal of a dictionary; `expected` says what must stand there.
    case unexpectedByte(expected: String, offset: Int)
    /// The dictionary has a key that is none of `descr`, `fortran_order` and `shape`.
    case unknownKey(String, offset: Int)
    /// The dictionary has a key twice.
    case duplicateKey(String, offset: Int)
    /// The dictionary lacks one of its three keys.
    case missingKey(String)
    /// `descr` is no string: the array has fields, or elements that are arrays.
    case structuredDescr(offset: Int)
    /// `descr` names a type that no tensor here has.
    case unsupportedDescr(String)
    /// `shape` has more dimensions than any tensor here.
    case tooManyDimensions(count: Int, limit: Int)
    /// `shape` is not a shape.
    case invalidShape(ShapeError)
    /// The bytes after the header are not as many as `descr` and `shape` need; `needed` is nil where that cannot be
    /// counted.
    case dataSize(Int, needed: Int?)
}

extension NPYFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noMagic:
            #"it does not begin with \x93NUMPY"#
        case .unsupportedVersion(let major, let minor):
            "its version is \(major).\(minor); it must be 1.0, 2.0 or 3.0"
        case .noHeaderLength(let byteCount):
            "it has \(byteCount) bytes and ends within the length of its header"
        case .headerTooLarge(let byteCount, let limit):
            "its header is said to have \(byteCount) bytes; at most \(limit) are allowed"
        case .headerBeyondEnd(let byteCount, let available):
            "its header is said to have \(byteCount) bytes; \(available) follow"
        case .unexpectedByte(let expected, let offset):
            "expected \(expected) at byte \(offset)"
        case .unknownKey(let key, let offset):
            "its header has the key \(TensorFormatError.quoted(key)) at byte \(offset); its keys are descr, fortran_order "
                + "and shape"
        case .duplicateKey(let key, let offset):
            "its header has the key \(key) twice, again at byte \(offset)"
        case .missingKey(let key):
            "its header lacks the key \(key)"
        case .structuredDescr(let offset):
            "descr at byte \(offset) is no string; arrays with fields are no tensors"
        case .unsupportedDescr(let descr):
            "descr is \(TensorFormatError.quoted(descr)); tensors here are of f2, f4, f8, i1 to i8, u1 to u8, b1, and V2 "
                + "for bfloat16, each after '<', '>' or '|'"
        case .tooManyDimensions(let count, let limit):
            "its shape has \(count) dimensions; at most \(limit) are possible"
        case .invalidShape(let error):
            "its shape is none: \(error)"
        case .dataSize(let byteCount, let needed):
            "its header is followed by \(byteCount) bytes; descr and shape need "
                + (needed.map(String.init) ?? "more than can be counted")
        }
    }
}
