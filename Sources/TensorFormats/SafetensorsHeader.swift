/// What a safetensors file says of itself: its tensors and its metadata. Nothing but the header is looked at.
///
/// Every rule of the reference is held: names are unique, and the tensors fill what follows the header, without holes and
/// without sharing a byte. Members that the format does not know are refused.
public struct SafetensorsHeader: Sendable {
    /// The tensors, in the order in which their bytes stand in the file.
    public let entries: [SafetensorsEntry]

    /// The pairs of `__metadata__`, in the order of the text.
    public let metadata: [(name: String, value: String)]

    /// Where the bytes of the tensors begin in the file.
    public let dataOffset: Int

    /// The longest header that the reference reads, in bytes.
    public static let byteLimit = 100_000_000

    /// The name that is no tensor's.
    static let metadataName = "__metadata__"

    /// The number of bytes before the header, which are its length.
    static let lengthByteCount = 8

    /// Reads the header of a file of `fileByteCount` bytes.
    ///
    /// - Parameters:
    ///   - bytes: the file from its beginning, at least to the end of its header.
    ///   - fileByteCount: the size of the file; nil where `bytes` is all of it.
    ///   - byteLimit: how long the header may be.
    public init(
        _ bytes: UnsafeRawBufferPointer,
        fileByteCount: Int? = nil,
        byteLimit: Int = Self.byteLimit
    ) throws(TensorFormatError) {
        let fileByteCount = fileByteCount ?? bytes.count
        let dataOffset = try Self.dataOffset(bytes, byteLimit: byteLimit)
        guard dataOffset <= min(bytes.count, fileByteCount) else {
            throw .safetensors(
                .headerBeyondEnd(
                    byteCount: dataOffset - Self.lengthByteCount,
                    available: min(bytes.count, fileByteCount) - Self.lengthByteCount
                )
            )
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[Self.lengthByteCount..<dataOffset])
        guard text.first == ASCII.openBrace else { throw .safetensors(.noOpeningBrace) }
        var parser = SafetensorsHeaderParser(dataOffset: dataOffset)
        do throws(TensorFormatError) {
            try parser.read(text)
        } catch {
            guard case .safetensors = error else { throw .safetensors(.invalidHeader(error)) }
            throw error
        }
        self.entries = try parser.entriesInOrder(fileByteCount: fileByteCount)
        self.metadata = parser.metadata
        self.dataOffset = dataOffset
    }

    /// Where the header ends and the tensors begin, told by the first eight bytes of a file: so many bytes the reader of
    /// a header needs.
    public static func dataOffset(
        _ bytes: UnsafeRawBufferPointer,
        byteLimit: Int = Self.byteLimit
    ) throws(TensorFormatError) -> Int {
        guard bytes.count >= Self.lengthByteCount else {
            throw .safetensors(.noHeaderLength(byteCount: bytes.count))
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard let count = Int(exactly: length), count <= byteLimit else {
            throw .safetensors(.headerTooLarge(byteCount: length, limit: byteLimit))
        }
        return Self.lengthByteCount + count
    }

    /// The tensor of this name, if there is one.
    public subscript(name: String) -> SafetensorsEntry? {
        // Byte by byte: comparing `String`s of many combining marks takes quadratic time.
        self.entries.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
