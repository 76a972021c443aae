import AlignedMemory

/// The content of a reply on its way through a content coding, chunk by chunk (RFC 9112 §7.1): no more than one chunk
/// is ever held.
final class CodedContent {
    /// What it takes beside the content, in bytes; held against the budget as long as it lives.
    private static let byteCount = Deflater.memory + chunkBytes + 1 << 10

    /// No step takes in more, so that other connections get their turn: a sixth of a millisecond at level 1.
    private static let maxBytesPerStep = 16 << 10

    /// The data of a chunk: not so little that sending it costs more than making it.
    private static let chunkBytes = 16 << 10

    private let memory: MemoryBudget
    private let deflater: Deflater
    private let chunk: AlignedBuffer

    /// How much of `chunk` is filled, without its size line.
    private var chunkCount = 0

    /// What is not yet taken in, the next part last.
    private var rest: [HTTPBodyPart]

    /// How much of the next part has been taken in.
    private var offset = 0

    /// Whether the last chunk has been handed out.
    private(set) var isFinished = false

    init(_ parts: [HTTPBodyPart], by method: Deflater.Method, memory: MemoryBudget) throws(AllocationError) {
        self.deflater = try Deflater(method)
        self.chunk = try AlignedBuffer(capacity: Self.sizeLineBytes + Self.chunkBytes + Self.lastChunk.count)
        self.rest = parts.reversed()
        guard memory.reserve(Self.byteCount) else { throw AllocationError(byteCount: Self.byteCount) }
        // Only from here on is there anything for `deinit` to give back.
        self.memory = memory
    }

    deinit {
        self.memory.release(Self.byteCount)
    }

    /// Whether anything that is not yet taken in stands in `buffer`.
    func needs(_ buffer: AlignedBuffer) -> Bool { self.rest.contains { $0.isPart(of: buffer) } }

    /// Does a little of the work.
    ///
    /// - Returns: the next chunk, if it is done with that; valid until the next call.
    func advance() -> HTTPBodyPart? {
        var allowance = Self.maxBytesPerStep
        while self.chunkCount < Self.chunkBytes {
            let left = self.rest.last.map { $0.count - self.offset } ?? 0
            if left == 0, self.rest.count > 1 {
                self.dropPart()
                continue
            }
            guard allowance > 0 || left == 0 else { return nil }
            let count = min(left, allowance)
            let (taken, isDone) = self.deflate(count, isLast: self.rest.count <= 1 && count == left)
            self.offset += taken
            allowance -= taken
            if taken == left { self.dropPart() }
            if isDone {
                self.isFinished = true
                break
            }
        }
        return self.finishChunk()
    }

    private func dropPart() {
        _ = self.rest.popLast()
        self.offset = 0
    }

    /// Takes in `count` bytes of the next part, or as many as there is room for.
    private func deflate(_ count: Int, isLast: Bool) -> (taken: Int, isDone: Bool) {
        let space = self.chunk[Self.sizeLineBytes + self.chunkCount..<Self.sizeLineBytes + Self.chunkBytes]
        let (taken, written, isDone) =
            switch self.rest.last {
            case .bytes(let bytes):
                bytes.withUnsafeBytes {
                    self.deflater.deflate($0.slice(self.offset..<self.offset + count), into: space, isLast: isLast)
                }
            case .buffer(let buffer, let range):
                self.deflater.deflate(
                    UnsafeRawBufferPointer(buffer[range]).slice(self.offset..<self.offset + count),
                    into: space,
                    isLast: isLast
                )
            case nil:
                self.deflater.deflate(UnsafeRawBufferPointer(start: nil, count: 0), into: space, isLast: isLast)
            }
        self.chunkCount += written
        return (taken, isDone)
    }
}

extension CodedContent {
    /// The room for the size of the largest chunk in hexadecimal digits and CRLF.
    private static let sizeLineBytes = String(chunkBytes, radix: 16).utf8.count + 2

    /// The end of a chunk, the last chunk and an empty trailer section.
    private static let lastChunk = Array("\r\n0\r\n\r\n".utf8)

    /// Puts the framing around the data that is there.
    private func finishChunk() -> HTTPBodyPart {
        // A chunk of no data would be the last one: then only that is said, without the end of another.
        let isEmpty = self.chunkCount == 0
        let size = isEmpty ? [] : Array("\(String(self.chunkCount, radix: 16))\r\n".utf8)
        let start = Self.sizeLineBytes - size.count
        let end = Self.lastChunk[(isEmpty ? 2 : 0)..<(self.isFinished ? Self.lastChunk.count : 2)]
        let dataEnd = Self.sizeLineBytes + self.chunkCount
        self.chunk[start..<start + size.count].copyBytes(from: size)
        self.chunk[dataEnd..<dataEnd + end.count].copyBytes(from: end)
        self.chunkCount = 0
        return .buffer(self.chunk, start..<dataEnd + end.count)
    }
}
