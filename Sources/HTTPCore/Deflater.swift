import AlignedMemory
import CZlib

/// Codes content, piece by piece.
final class Deflater {
    /// What zlib allocates: its state, a window of 32 KiB with all that finds matches in it, and what is pending.
    static let memory = 268 << 10

    /// No call hands zlib more, whose counts have 32 bits.
    private static let maxBytesPerCall = 1 << 30

    /// zlib keeps a pointer back to it.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter level: 1 is the fastest, 9 makes it shortest.
    convenience init(_ coding: ContentCoding, level: Int) throws(AllocationError) {
        try self.init(windowBits: coding.windowBits, memoryLevel: 8, level: level)
    }

    private init(windowBits: Int32, memoryLevel: Int32, level: Int) throws(AllocationError) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let result = deflateInit2_(
            self.stream,
            Int32(level),
            Z_DEFLATED,
            windowBits,
            memoryLevel,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK else {
            self.stream.deallocate()
            throw AllocationError(byteCount: Self.memory)
        }
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Goes on with `input`.
    ///
    /// - Parameters:
    ///   - output: not empty.
    ///   - isLast: whether nothing comes after `input`. Then the call is repeated with what is left of it.
    /// - Returns: how much was taken from the start of `input` and written to the start of `output`; and whether
    ///   everything has been written. All of `input` is taken if `output` is not filled.
    func deflate(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer,
        isLast: Bool
    ) -> (taken: Int, written: Int, isFinished: Bool) {
        precondition(input.count <= Self.maxBytesPerCall && output.count <= Self.maxBytesPerCall, "the counts fit")
        self.stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.pointee.avail_in = UInt32(input.count)
        self.stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.pointee.avail_out = UInt32(output.count)
        let result = CZlib.deflate(self.stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        precondition([Z_OK, Z_BUF_ERROR, Z_STREAM_END].contains(result), "the stream is used as zlib wants it")
        return (
            input.count - Int(self.stream.pointee.avail_in),
            output.count - Int(self.stream.pointee.avail_out),
            result == Z_STREAM_END
        )
    }
}

extension Deflater {
    /// From so much content on a quick look at some of it pays.
    private static let sampleCount = 4 << 10

    /// Whether `content` would probably become shorter by an eighth at least: text does, the noise in floating-point
    /// numbers does not.
    static func shrinks(_ content: UnsafeRawBufferPointer) -> Bool {
        let count = min(content.count, Self.sampleCount)
        let start = (content.count - count) / 2
        // Less memory than a reply takes, and no frame: a window as large as the sample, and room for one block.
        guard let deflater = try? Deflater(windowBits: -12, memoryLevel: 7, level: 1) else { return false }
        return withUnsafeTemporaryAllocation(byteCount: max(count / 8 * 7, 1), alignment: 1) { output in
            deflater.deflate(content.slice(start..<start + count), into: output, isLast: true).isFinished
        }
    }
}
