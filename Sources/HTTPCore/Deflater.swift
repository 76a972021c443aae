import AlignedMemory
import CZlib

/// Codes content, piece by piece.
final class Deflater {
    /// What zlib allocates: its state, a window of 32 KiB with all that finds matches in it, and what is pending.
    static let memory = 268 << 10

    /// No call hands zlib more, whose counts have 32 bits.
    private static let maxBytesPerCall = 1 << 30

    /// What the coder makes use of.
    enum Strategy {
        /// That strings come again, and that some bytes are more frequent than others.
        case strings
        /// The latter alone, in half the time.
        case frequencies
    }

    /// How content is coded.
    struct Method {
        let coding: ContentCoding

        /// 1 is the fastest, 9 makes it shortest.
        var level = 1

        var strategy = Strategy.strings
    }

    /// zlib keeps a pointer back to it.
    private let stream: UnsafeMutablePointer<z_stream>

    convenience init(_ method: Method) throws(AllocationError) {
        try self.init(
            windowBits: method.coding.windowBits,
            memoryLevel: 8,
            level: method.level,
            strategy: method.strategy
        )
    }

    private init(windowBits: Int32, memoryLevel: Int32, level: Int, strategy: Strategy) throws(AllocationError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit2_(
            stream,
            Int32(level),
            Z_DEFLATED,
            windowBits,
            memoryLevel,
            strategy == .strings ? Z_DEFAULT_STRATEGY : Z_HUFFMAN_ONLY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK else {
            stream.deallocate()
            throw AllocationError(byteCount: Self.memory)
        }
        // Only now: `deinit` ends what has begun.
        self.stream = stream
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
    private static let sampleCount = 4 << 10

    /// Looks at the middle of `content`.
    ///
    /// - Returns: how it is best coded; `nil` if it would not become shorter by an eighth. Text does, the noise in
    ///   floating-point numbers does not.
    static func strategy(for content: UnsafeRawBufferPointer, level: Int) -> Strategy? {
        let count = min(content.count, Self.sampleCount)
        let start = (content.count - count) / 2
        let sample = content.slice(start..<start + count)
        guard let codedCount = Self.codedCount(of: sample, .strings, atMost: count / 8 * 7) else { return nil }
        // In the digits of noise nothing but short strings come again, and to name them takes as long as they are.
        // What becomes much shorter may do so because of its strings, also of those that the sample is too short for.
        guard level == 1, codedCount > count / 8 * 3,
            Self.codedCount(of: sample, .frequencies, atMost: codedCount) != nil
        else { return .strings }
        return .frequencies
    }

    /// - Returns: how long `sample` becomes without a frame, if that is no more than `limit`.
    private static func codedCount(
        of sample: UnsafeRawBufferPointer,
        _ strategy: Strategy,
        atMost limit: Int
    ) -> Int? {
        // Less memory than a reply takes: a window as large as the sample, and room for it in one block.
        guard limit > 0, let deflater = try? Deflater(windowBits: -12, memoryLevel: 7, level: 1, strategy: strategy)
        else { return nil }
        let (_, written, isFinished) = withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { output in
            deflater.deflate(sample, into: output, isLast: true)
        }
        return isFinished ? written : nil
    }
}
