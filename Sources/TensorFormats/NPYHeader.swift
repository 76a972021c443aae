public import Tensors

/// What an `.npy` file says of its array (`numpy.lib.format`, versions 1.0, 2.0 and 3.0).
public struct NPYHeader: Equatable, Sendable {
    public let dataType: DataType
    public let shape: Shape

    /// Whether the elements' most significant bytes come first.
    public let isBigEndian: Bool

    /// Whether the first axis is the contiguous one.
    public let isFortranOrder: Bool

    /// Where the elements begin in the file.
    public let dataOffset: Int

    /// The longest header that numpy reads unless told otherwise, in bytes.
    static let byteLimit = 10_000

    /// What every file begins with.
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// What numpy aligns the elements to, in bytes.
    static let alignment = 64

    /// Whether `file` begins as an `.npy` file does.
    public static func isAtStart(of file: UnsafeRawBufferPointer) -> Bool {
        file.starts(with: Self.magic)
    }

    /// Reads the header of a whole file; whether the elements are there is not judged.
    public init(_ file: UnsafeRawBufferPointer) throws(TensorFormatError) {
        guard Self.isAtStart(of: file) else { throw .npy(.noMagic) }
        let versionEnd = Self.magic.count + 2
        guard file.count >= versionEnd else { throw .npy(.noHeaderLength(byteCount: file.count)) }
        let (major, minor) = (file[versionEnd - 2], file[versionEnd - 1])
        guard 1...3 ~= major, minor == 0 else { throw .npy(.unsupportedVersion(major: major, minor: minor)) }
        // Little-endian: two bytes in version 1.0, four later.
        let start = versionEnd + (major == 1 ? 2 : 4)
        guard file.count >= start else { throw .npy(.noHeaderLength(byteCount: file.count)) }
        let length = file[versionEnd..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.byteLimit else {
            throw .npy(.headerTooLarge(byteCount: length, limit: Self.byteLimit))
        }
        guard length <= file.count - start else {
            throw .npy(.headerBeyondEnd(byteCount: length, available: file.count - start))
        }
        // Python 2, which wrote versions 1.0 and 2.0, marks long integers with an L.
        var parser = NPYHeaderParser(file, in: start..<start + length, allowsLongIntegers: major < 3)
        let array = try parser.readArray()
        (self.dataType, self.isBigEndian) = try Self.elements(array.descr)
        self.isFortranOrder = array.isFortranOrder
        do throws(ShapeError) {
            self.shape = try Shape(array.dimensions)
        } catch {
            throw .npy(.invalidShape(error))
        }
        self.dataOffset = start + length
    }

    /// The data type of a `descr`, as `<f4`, and whether it is big-endian.
    private static func elements(_ descr: String) throws(TensorFormatError) -> (DataType, isBigEndian: Bool) {
        let code = descr.dropFirst()
        guard let order = descr.first, "<>|".contains(order),
            let dataType = DataType.allCases.first(where: { $0.npyCode == code }),
            // Only single bytes, and the bytes of no number, have no order.
            order != "|" || dataType.byteWidth == 1 || dataType == .bf16
        else { throw .npy(.unsupportedDescr(descr)) }
        return (dataType, order == ">")
    }
}

extension DataType {
    /// What follows the byte order in `descr`.
    var npyCode: String {
        switch self {
        case .bool: "b1"
        case .uint8: "u1"
        case .uint16: "u2"
        case .uint32: "u4"
        case .uint64: "u8"
        case .int8: "i1"
        case .int16: "i2"
        case .int32: "i4"
        case .int64: "i8"
        case .fp16: "f2"
        case .fp32: "f4"
        case .fp64: "f8"
        // numpy has no such type; this is how it writes that of ml_dtypes: two bytes that it knows nothing of.
        case .bf16: "V2"
        }
    }
}
