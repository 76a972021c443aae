import AlignedMemory
import TensorFormats
import Tensors

/// A safetensors file of which only what is asked for is read: the header at first, then a tensor at a time.
///
/// It is read, not mapped: a file that another process cuts short meanwhile is an error, and not the end of this one.
struct SafetensorsFile: ~Copyable {
    let header: SafetensorsHeader

    private let file: OpenFile

    /// Reads the header.
    init(_ file: consuming OpenFile) throws(LayerFileError) {
        self.header = try Self.header(of: file)
        self.file = file
    }

    /// One of the file's tensors, in memory that is on nobody's account.
    func tensor(_ entry: SafetensorsEntry, elementLimit: Int) throws(LayerFileError) -> Tensor {
        guard entry.shape.elementCount <= elementLimit else {
            throw .tooManyElements(tensor: entry.name, limit: elementLimit)
        }
        let bytes = try Self.read(entry.byteRange, of: self.file)
        do throws(TensorFormatError) {
            return try entry.tensor(in: bytes, at: -entry.byteRange.lowerBound)
        } catch {
            throw .format(error)
        }
    }

    private static func header(of file: borrowing OpenFile) throws(LayerFileError) -> SafetensorsHeader {
        guard let size = try file.size() else { throw .notARegularFile }
        let prefix = try self.read(0..<min(8, size), of: file)
        let headerEnd: Int
        do throws(TensorFormatError) {
            headerEnd = try SafetensorsHeader.dataOffset(UnsafeRawBufferPointer(prefix[0..<min(8, size)]))
        } catch {
            throw .format(error)
        }
        // A length beyond the file's end costs no memory; it is refused by the reader.
        let count = min(headerEnd, size)
        let bytes = try self.read(0..<count, of: file)
        defer { withExtendedLifetime(bytes) {} }
        do throws(TensorFormatError) {
            return try SafetensorsHeader(UnsafeRawBufferPointer(bytes[0..<count]), fileByteCount: size)
        } catch {
            throw .format(error)
        }
    }

    /// A stretch of a file, from the beginning of the buffer on.
    private static func read(
        _ range: Range<Int>,
        of file: borrowing OpenFile
    ) throws(LayerFileError) -> AlignedBuffer {
        let buffer: AlignedBuffer
        do throws(AllocationError) {
            buffer = try .keeping(capacity: range.count)
        } catch {
            throw .outOfMemory
        }
        let count: Int
        do throws(FileError) {
            count = try file.read(into: buffer[0..<range.count], at: range.lowerBound)
        } catch {
            throw .system(error)
        }
        guard count == range.count else { throw .endsEarly }
        return buffer
    }
}

extension OpenFile {
    fileprivate borrowing func size() throws(LayerFileError) -> Int? {
        do throws(FileError) {
            return try self.regularFileSize()
        } catch {
            throw .system(error)
        }
    }
}
