import Tensors

/// Why bytes are no safetensors file, or a tensor in it cannot be had. One case per rule of the format, as its reference
/// (`tensor.rs` of huggingface/safetensors) and its README have them.
public enum SafetensorsFault: Equatable, Sendable {
    /// The eight bytes with the length of the header are not there.
    case noHeaderLength(byteCount: Int)
    /// The header is longer than the format, or the caller, allows.
    case headerTooLarge(byteCount: UInt64, limit: Int)
    /// The header ends behind the file.
    case headerBeyondEnd(byteCount: Int, available: Int)
    /// The header must begin with `{`.
    case noOpeningBrace
    /// The header is not the JSON that it should be.
    indirect case invalidHeader(TensorFormatError)
    /// Names are unique, those of metadata among themselves.
    case duplicateName(String)
    /// The type is none of the format's.
    case unknownDataType(tensor: String, name: String)
    /// The tensor ends before it begins.
    case reversedOffsets(tensor: String, begin: Int, end: Int)
    /// The tensor does not begin where the one before it ends: bytes are left out, or belong to both.
    case notContiguous(tensor: String, begin: Int, expected: Int)
    /// Packed elements of less than a byte do not fill their last byte.
    case partialByte(tensor: String)
    /// The offsets leave other room than the type and the shape need; `needed` is nil where that cannot be counted.
    case sizeMismatch(tensor: String, byteCount: Int, needed: Int?)
    /// The tensors do not end where the file does.
    case dataSize(described: Int, available: Int)
    /// The type is one of the format's, but of no tensor here.
    case unsupportedDataType(tensor: String, SafetensorsDataType)
}

extension SafetensorsFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noHeaderLength(let byteCount):
            "it has \(counted(byteCount, "byte")); the length of its header alone takes 8"
        case .headerTooLarge(let byteCount, let limit):
            "its header is said to have \(byteCount) bytes; at most \(limit) are allowed"
        case .headerBeyondEnd(let byteCount, let available):
            "its header is said to have \(counted(byteCount, "byte")); \(available) follow"
        case .noOpeningBrace:
            "its header does not begin with '{'"
        case .invalidHeader(let error):
            "in its header, \(error)"
        case .duplicateName(let name):
            "its header has the name \(TensorFormatError.quoted(name)) twice"
        case .unknownDataType(let tensor, let name):
            "the dtype of \(TensorFormatError.quoted(tensor)) is \(TensorFormatError.quoted(name)), which the format "
                + "does not know"
        case .reversedOffsets(let tensor, let begin, let end):
            "\(TensorFormatError.quoted(tensor)) ends at \(end), before it begins at \(begin)"
        case .notContiguous(let tensor, let begin, let expected):
            "\(TensorFormatError.quoted(tensor)) begins at \(begin); by the tensors before it, it must begin at \(expected)"
        case .partialByte(let tensor):
            "the elements of \(TensorFormatError.quoted(tensor)) do not fill whole bytes"
        case .sizeMismatch(let tensor, let byteCount, let needed):
            "\(TensorFormatError.quoted(tensor)) has \(counted(byteCount, "byte")); its dtype and shape need "
                + (needed.map(String.init) ?? "more than can be counted")
        case .dataSize(let described, let available):
            "its tensors have \(counted(described, "byte")); \(available) follow the header"
        case .unsupportedDataType(let tensor, let dataType):
            "the dtype of \(TensorFormatError.quoted(tensor)) is \(dataType.rawValue); tensors here are of "
                + DataType.allCases.map { SafetensorsDataType($0).rawValue }.joined(separator: ", ")
        }
    }
}

/// `1 byte`, `2 bytes`.
private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}
