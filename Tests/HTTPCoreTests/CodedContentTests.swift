import AlignedMemory
import Testing

@testable import HTTPCore

@Suite("Content on its way through a coding")
struct CodedContentTests {
    /// What is sent, chunk by chunk.
    private static func chunks(
        _ parts: [HTTPBodyPart],
        by method: Deflater.Method = Deflater.Method(coding: .gzip)
    ) throws -> [[UInt8]] {
        let memory = MemoryBudget(limit: 1 << 20)
        defer { #expect(memory.usedBytes == 0) }
        let content = try CodedContent(parts, by: method, memory: memory)
        var chunks: [[UInt8]] = []
        while !content.isFinished {
            if let chunk = content.advance() { chunks.append(chunk.copiedBytes) }
        }
        return chunks
    }

    /// Takes the framing off, as a request's content would have it taken off.
    private static func unframed(_ message: [UInt8]) throws -> [UInt8] {
        var (decoder, rest, content) = (ChunkedDecoder(limits: HTTPLimits()), message[...], [UInt8]())
        while !decoder.isDone {
            let count = try Array(rest).withUnsafeBytes { try decoder.readFraming($0) }
            rest = rest.dropFirst(count)
            let data = rest.prefix(decoder.dataToRead)
            try #require(count > 0 || !data.isEmpty)
            guard !data.isEmpty else { continue }
            content += data
            rest = rest.dropFirst(data.count)
            decoder.skipData(data.count)
        }
        #expect(rest.isEmpty)
        return content
    }

    @Test(
        "Content of every size",
        arguments: [0, 1, 1_023, 1_024, 16_383, 16_384, 16_385, 65_535, 65_536, 1_000_000],
        [
            Deflater.Method(coding: .gzip), Deflater.Method(coding: .deflate, level: 6),
            Deflater.Method(coding: .gzip, strategy: .frequencies),
        ]
    )
    func sizes(count: Int, method: Deflater.Method) throws {
        for content in [[UInt8].digits(count), .noise(count)] {
            let chunks = try Self.chunks([.bytes(content)], by: method)
            #expect(try decoded(Self.unframed(chunks.flatMap(\.self)), method.coding) == content)
            // No chunk is large, and none but the last is small.
            #expect(chunks.allSatisfy { $0.count <= 16_384 + 13 })
            #expect(chunks.dropLast().allSatisfy { $0.starts(with: "4000\r\n".utf8) })
        }
    }

    @Test("Content that becomes next to nothing, which is many steps for one chunk")
    func zeros() throws {
        let memory = MemoryBudget(limit: 1 << 20)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let content = try CodedContent([.bytes(zeros)], by: Deflater.Method(coding: .gzip), memory: memory)
        for _ in 0..<63 { #expect(content.advance() == nil) }
        let chunk = try #require(content.advance())
        #expect(content.isFinished)
        #expect(try decoded(Self.unframed(chunk.copiedBytes)) == [UInt8](repeating: 0, count: 1 << 20))
    }

    @Test("A coded length that fills its chunks exactly")
    func exactChunks() throws {
        var exactCount = 0
        for count in 16_200..<16_384 {
            let content = [UInt8].noise(count)
            let chunks = try Self.chunks([.bytes(content)])
            let coded = try Self.unframed(chunks.flatMap(\.self))
            #expect(try decoded(coded) == content)
            if coded.count == 16_384 { exactCount += 1 }
        }
        #expect(exactCount == 1)
    }

    @Test("Parts of every kind, one behind the other")
    func parts() throws {
        let buffer = try AlignedBuffer(capacity: 100_000)
        buffer[0..<100_000].copyBytes(from: [UInt8].digits(100_000))
        let parts: [HTTPBodyPart] = [
            .bytes([]), .bytes([1]), .buffer(buffer, 5..<5), .buffer(buffer, 7..<60_000), .bytes(.noise(20_000)),
            .bytes([]),
            .buffer(buffer, 0..<100_000), .buffer(buffer, 9..<9),
        ]
        for parts in [parts, (0..<3_000).map { .buffer(buffer, $0..<$0 + 3) }, [.bytes([]), .bytes([])], []] {
            let coded = try Self.unframed(Self.chunks(parts).flatMap(\.self))
            #expect(try decoded(coded) == parts.flatMap(\.copiedBytes))
        }
    }

    @Test("Memory is needed until all of it is taken in, and no longer")
    func needs() throws {
        let (first, second) = (try AlignedBuffer(capacity: 40_000), try AlignedBuffer(capacity: 40_000))
        first[0..<40_000].copyBytes(from: [UInt8](repeating: 0, count: 40_000))
        second[0..<40_000].copyBytes(from: [UInt8](repeating: 0, count: 40_000))
        let content = try CodedContent(
            [.buffer(first, 0..<40_000), .buffer(second, 0..<40_000)],
            by: Deflater.Method(coding: .gzip),
            memory: MemoryBudget(limit: 1 << 20)
        )
        var needed: [[Bool]] = []
        while !content.isFinished {
            needed.append([content.needs(first), content.needs(second)])
            _ = content.advance()
        }
        #expect(needed == [[true, true], [true, true], [true, true], [false, true], [false, true]])
        #expect(!content.needs(second))
    }

    @Test("No more than the budget allows is taken, and all of it given back")
    func budget() throws {
        let memory = MemoryBudget(limit: 300_000)
        var first: CodedContent? = try CodedContent([.bytes([1])], by: Deflater.Method(coding: .gzip), memory: memory)
        #expect(memory.usedBytes > 250_000)
        #expect(throws: AllocationError.self) {
            try CodedContent([.bytes([1])], by: Deflater.Method(coding: .gzip), memory: memory)
        }
        #expect(first?.isFinished == false)
        first = nil
        #expect(memory.usedBytes == 0)
    }
}
