import AlignedMemory
import CZlib

/// Undoes a content coding, piece by piece.
final class Inflater {
    /// What zlib allocates: its state and a window of 32 KiB.
    static let memory = 44 << 10

    /// No call hands zlib more, whose counts have 32 bits.
    private static let maxBytesPerCall = 1 << 30

    private let coding: ContentCoding

    /// zlib keeps a pointer back to it.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Whether all that came so far is a whole stream, or several of them.
    private(set) var hasEnded = false

    /// Whether there may be output for which there was no room.
    private(set) var mayHoldOutput = false

    init(_ coding: ContentCoding) throws(AllocationError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, coding.windowBits, ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            throw AllocationError(byteCount: Self.memory)
        }
        // Only now: `deinit` ends what has begun.
        self.coding = coding
        self.stream = stream
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Goes on with `input`, which may be empty.
    ///
    /// - Parameter output: not empty.
    /// - Returns: how much was taken from the start of `input` and written to the start of `output`. All of `input`
    ///   is taken if `output` is not filled, or until a stream ends.
    func inflate(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(HTTPError) -> (taken: Int, written: Int) {
        if self.hasEnded {
            guard !input.isEmpty else { return (0, 0) }
            // RFC 1952 §2.2: a gzip file is a series of members. RFC 1950 knows nothing of the kind.
            guard self.coding == .gzip, inflateReset(self.stream) == Z_OK else { throw .invalidContentCoding }
            self.hasEnded = false
        }
        let inputCount = min(input.count, Self.maxBytesPerCall)
        let outputCount = min(output.count, Self.maxBytesPerCall)
        self.stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.pointee.avail_in = UInt32(inputCount)
        self.stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.stream.pointee.avail_out = UInt32(outputCount)
        switch CZlib.inflate(self.stream, Z_NO_FLUSH) {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: self.hasEnded = true
        case Z_MEM_ERROR: throw .overloaded
        // RFC 1952 §2.3.1.2 and RFC 1950 §2.3: what is corrupt, or needs a dictionary that nobody agreed on.
        default: throw .invalidContentCoding
        }
        self.mayHoldOutput = !self.hasEnded && self.stream.pointee.avail_out == 0
        return (inputCount - Int(self.stream.pointee.avail_in), outputCount - Int(self.stream.pointee.avail_out))
    }
}
