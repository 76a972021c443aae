import AlignedMemory
import TensorFormats
import Tensors
import Testing

@Suite struct SafetensorsWriterTests {
    private func file(_ writer: SafetensorsWriter) -> [UInt8] {
        writer.header + writer.tensors.flatMap(\.bits)
    }

    @Test func theBytesAreThoseOfTheReference() throws {
        // safetensors.numpy.save({"b": f4 [[1, 2]], "a": u1 [7, 8, 9], "c": f4 []}, {"k": "v"}), version 0.8.0
        let writer = SafetensorsWriter(
            [
                ("b", try tensor(.fp32, [1, 2], [Float(1), 2])), ("a", try tensor(.uint8, [3], [UInt8(7), 8, 9])),
                ("c", try tensor(.fp32, [0], [] as [Float])),
            ],
            metadata: [("k", "v")]
        )
        let header =
            #"{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"#
            + #""c":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"a":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}"#
        let padded = header + String(repeating: " ", count: -header.utf8.count & 7)
        #expect(
            self.file(writer) == safetensors(padded, [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 7, 8, 9])
        )
    }

    @Test func metadataAreSorted() throws {
        let one = SafetensorsWriter([], metadata: [("b", "\"\n"), ("a", "é")])
        #expect(one.header == SafetensorsWriter([], metadata: [("a", "é"), ("b", "\"\n")]).header)
        let metadata = try header(of: one.header).metadata
        #expect(metadata.map(\.name) == ["a", "b"] && metadata.map(\.value) == ["é", "\"\n"])
    }

    @Test func theHeaderIsAMultipleOfEightBytes() throws {
        for length in 0..<20 {
            let writer = SafetensorsWriter([(String(repeating: "x", count: length), try tensor(.bool, [1], [true]))])
            #expect(writer.header.count % 8 == 0)
            #expect(try header(of: self.file(writer)).entries.count == 1)
        }
    }

    @Test func whatIsWrittenReadsBack() throws {
        var generator = SeededGenerator(41)
        for _ in 0..<300 {
            let tensors = try (0..<Int.random(in: 0...6, using: &generator)).map { index in
                let dataType = try #require(DataType.allCases.randomElement(using: &generator))
                let shape = (0..<Int.random(in: 0...4, using: &generator))
                    .map { _ in Int.random(in: 0...4, using: &generator) }
                let tensor = try Tensor(uninitialized: dataType, shape: Shape(shape))
                let bytes = (0..<tensor.byteCount).map { _ in UInt8(generator.next() & 1) }
                tensor.bytes.copyBytes(from: bytes)
                return (name: "t.\(index).é", tensor: tensor)
            }
            let file = self.file(SafetensorsWriter(tensors))
            let header = try header(of: file)
            #expect(header.entries.count == tensors.count)
            for (name, tensor) in tensors {
                let entry = try #require(header[name])
                #expect(entry.byteRange.lowerBound % tensor.dataType.byteWidth == 0)
                let again = try file.withUnsafeBytes { try entry.tensor(copiedFrom: $0) }
                #expect(again.dataType == tensor.dataType && again.shape == tensor.shape)
                #expect(again.bits == tensor.bits)
            }
        }
    }
}
