import Tensors

/// Reads the JSON of a safetensors header, then judges the offsets of its tensors all together.
struct SafetensorsHeaderParser {
    private let dataOffset: Int
    private var entries: [SafetensorsEntry] = []
    private(set) var metadata: [(name: String, value: String)] = []

    init(dataOffset: Int) {
        self.dataOffset = dataOffset
    }

    /// Reads all of the text, white space after it included: the format pads with spaces.
    mutating func read(_ text: UnsafeRawBufferPointer) throws(TensorFormatError) {
        var reader = try JSONReader(text)
        var names = UniqueNames()
        try reader.readMembers { (reader, name, _) throws(TensorFormatError) in
            try names.insert(name)
            if name.utf8.elementsEqual(SafetensorsHeader.metadataName.utf8) {
                try self.readMetadata(&reader)
            } else {
                self.entries.append(try self.readEntry(name, &reader))
            }
        }
        try reader.finish()
    }

    private mutating func readMetadata(_ reader: inout JSONReader) throws(TensorFormatError) {
        var names = UniqueNames()
        try reader.readMembers { (reader, name, _) throws(TensorFormatError) in
            try names.insert(name)
            self.metadata.append((name, try reader.readString()))
        }
    }

    private func readEntry(
        _ name: String,
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> SafetensorsEntry {
        let start = reader.position
        var dataType: SafetensorsDataType?
        var shape: Shape?
        var offsets: (begin: Int, end: Int)?
        try reader.readObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "dtype": dataType = try Self.readDataType(of: name, &reader)
            case "shape": shape = try reader.readShape()
            case "data_offsets": offsets = try Self.readOffsets(&reader)
            default: throw reader.unknownMember(key)
            }
        }
        guard let dataType, let shape, let (begin, end) = offsets else {
            let missing = dataType == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
            throw .missingMember(name: missing, pointer: reader.pointer, offset: start)
        }
        guard begin <= end else { throw .safetensors(.reversedOffsets(tensor: name, begin: begin, end: end)) }
        // No file has more bytes than can be counted, with its header.
        guard end <= .max - self.dataOffset else {
            throw .integerOutOfRange(range: "within the file", pointer: reader.pointer, offset: start)
        }
        return SafetensorsEntry(
            name: name,
            type: dataType,
            shape: shape,
            byteRange: self.dataOffset + begin..<self.dataOffset + end
        )
    }

    private static func readDataType(
        of tensor: String,
        _ reader: inout JSONReader
    ) throws(TensorFormatError) -> SafetensorsDataType {
        let name = try reader.readWord()
        guard let dataType = SafetensorsDataType(rawValue: name) else {
            throw .safetensors(.unknownDataType(tensor: tensor, name: name))
        }
        return dataType
    }

    /// Reads where the tensor begins and ends, in bytes from the end of the header.
    private static func readOffsets(_ reader: inout JSONReader) throws(TensorFormatError) -> (begin: Int, end: Int) {
        _ = try reader.peekToken()
        let start = reader.position
        let offsets = try reader.readIntegers(limit: 2)
        guard offsets.count == 2 else {
            throw .wrongKind(expected: "two integers", found: .array, pointer: reader.pointer, offset: start)
        }
        guard offsets.allSatisfy({ $0 >= 0 }) else {
            throw .integerOutOfRange(range: "a number of bytes", pointer: reader.pointer, offset: start)
        }
        return (offsets[0], offsets[1])
    }

    /// The tensors by their places, once they are known to fill the file.
    func entriesInOrder(fileByteCount: Int) throws(TensorFormatError) -> [SafetensorsEntry] {
        let sorted = self.entries.sorted {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound) < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
        }
        var end = self.dataOffset
        for entry in sorted {
            guard entry.byteRange.lowerBound == end else {
                throw .safetensors(
                    .notContiguous(
                        tensor: entry.name,
                        begin: entry.byteRange.lowerBound - self.dataOffset,
                        expected: end - self.dataOffset
                    )
                )
            }
            try entry.checkSize()
            end = entry.byteRange.upperBound
        }
        guard end == fileByteCount else {
            throw .safetensors(
                .dataSize(described: end - self.dataOffset, available: fileByteCount - self.dataOffset)
            )
        }
        return sorted
    }
}

/// The names of one object of the header, compared byte by byte: any text may be a name, and hashing `String`s of many
/// combining marks takes quadratic time.
private struct UniqueNames {
    private var names: Set<[UInt8]> = []

    mutating func insert(_ name: String) throws(TensorFormatError) {
        guard self.names.insert(Array(name.utf8)).inserted else { throw .safetensors(.duplicateName(name)) }
    }
}
