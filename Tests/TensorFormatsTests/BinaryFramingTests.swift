import AlignedMemory
import TensorFormats
import Tensors
import Testing

@Suite struct BinaryFramingTests {
    /// A body of `json` and `bytes`, at `offset` in its buffer.
    private func body(_ json: String, _ bytes: [UInt8], at offset: Int = 0) throws -> (AlignedBuffer, Range<Int>) {
        let content = Array(json.utf8) + bytes
        let buffer = try AlignedBuffer(capacity: offset + content.count)
        let range = offset..<offset + content.count
        buffer[range].copyBytes(from: content)
        return (buffer, range)
    }

    /// The tensors in the array `json`, each with the default type FP32, whose bytes follow.
    private func tensors(
        _ json: String,
        _ bytes: [UInt8],
        at offset: Int = 0,
        isFramed: Bool = true
    ) throws -> [Tensor] {
        let (buffer, range) = try self.body(json, bytes, at: offset)
        var framing = try BinaryFraming(
            buffer: buffer,
            body: range,
            jsonByteCount: isFramed ? json.utf8.count : nil
        )
        var reader = try JSONReader(framing.json)
        var described: [JSONTensor] = []
        try reader.readArray { (reader) throws(TensorFormatError) in
            described.append(try reader.readTensor())
        }
        try reader.finish()
        // The order in which they are handed over does not matter.
        try framing.assignBytes(to: described.reversed())
        return try described.map { try framing.decode($0, default: .fp32) }
    }

    private func failure(_ json: String, _ bytes: [UInt8], isFramed: Bool = true) -> TensorFormatError? {
        do {
            _ = try self.tensors(json, bytes, isFramed: isFramed)
            return nil
        } catch {
            return error as? TensorFormatError
        }
    }

    private func binary(_ shape: [Int], _ byteCount: Int, _ dataType: DataType? = nil) -> String {
        let member = dataType.map { #""datatype":"\#($0.rawValue)","# } ?? ""
        return #"{"shape":\#(shape),\#(member)"parameters":{"binary_data_size":\#(byteCount)}}"#
    }

    @Test func tensorsTakeTheirBytesInTheOrderOfTheText() throws {
        let json =
            "[\(self.binary([2], 2, .uint8)), [0.5, 1.5], \(self.binary([1], 2, .uint16)),\(self.binary([0], 0))]"
        let tensors = try self.tensors(json, [1, 2, 3, 4])
        #expect(tensors[0].values(UInt8.self) == [1, 2])
        #expect(tensors[1].values(Float.self) == [0.5, 1.5])
        #expect(tensors[2].values(UInt16.self) == [0x0403])
        #expect(tensors[3].shape.dimensions == [0])
    }

    @Test func alignedBytesAreAViewAndOthersACopy() throws {
        let json = "[\(self.binary([2], 8))]"
        let bytes: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
        for offset in 0..<64 {
            let (buffer, range) = try self.body(json, bytes, at: offset)
            var framing = try BinaryFraming(buffer: buffer, body: range, jsonByteCount: json.utf8.count)
            var reader = try JSONReader(framing.json)
            var described: [JSONTensor] = []
            try reader.readArray { (reader) throws(TensorFormatError) in
                described.append(try reader.readTensor())
            }
            try framing.assignBytes(to: described)
            let tensor = try framing.decode(described[0], default: .fp32)
            #expect(tensor.values(Float.self) == [1, -2])
            #expect((tensor.buffer === buffer) == ((offset + json.utf8.count) % 4 == 0))
        }
    }

    @Test func theJSONFitsIntoTheBody() throws {
        let (buffer, range) = try self.body("[]", [], at: 3)
        for length in [3, -1, .max, .min] {
            #expect(
                error { () throws(TensorFormatError) in
                    _ = try BinaryFraming(buffer: buffer, body: range, jsonByteCount: length)
                } == .jsonLargerThanBody(jsonByteCount: length, bodyByteCount: 2)
            )
        }
    }

    @Test func noBytesAreLeftOrMissing() {
        let json = "[\(self.binary([2], 8)), \(self.binary([1], 4))]"
        for count in [0, 7, 8, 11, 13] {
            let found = self.failure(json, Array(repeating: 0, count: count))
            #expect(found == .binarySizesDoNotFillBody(declared: 12, available: count))
            #expect(
                found?.description == "the binary tensors need 12 bytes; the JSON header is followed by \(count)"
            )
        }
        #expect(self.failure("[]", [0]) == .binarySizesDoNotFillBody(declared: 0, available: 1))
        #expect(
            self.failure("[\(self.binary([1], .max)), \(self.binary([1], .max))]", [0])
                == .binarySizesDoNotFillBody(declared: nil, available: 1)
        )
    }

    @Test func theSizeIsThatOfTheShape() throws {
        let found = self.failure("[\(self.binary([2, 3], 20))]", Array(repeating: 0, count: 20))
        #expect(
            found
                == .binarySize(20, needed: 24, dataType: .fp32, shape: try Shape([2, 3]), pointer: "/0", offset: 1)
        )
        #expect(found?.description == "/0 has 20 bytes; FP32 of shape [2, 3] needs 24")
        let huge = try Shape([1 << 62])
        #expect(
            self.failure("[\(self.binary([1 << 62], 0))]", [])
                == .binarySize(0, needed: nil, dataType: .fp32, shape: huge, pointer: "/0", offset: 1)
        )
    }

    @Test func aBinaryTensorStatesItsShape() {
        #expect(
            self.failure(#"[{"parameters":{"binary_data_size":4}}]"#, [0, 0, 0, 0])
                == .binaryWithoutShape(pointer: "/0", offset: 1)
        )
    }

    @Test func binaryTensorsNeedTheFraming() {
        let found = self.failure("[\(self.binary([0], 0))]", [], isFramed: false)
        #expect(found == .binaryWithoutFraming(pointer: "/0", offset: 1))
        #expect(
            found?.description
                == "/0 has a binary_data_size, but the request does not say where its JSON ends"
        )
    }

    @Test func booleansAreZeroOrOne() throws {
        #expect(try self.tensors("[\(self.binary([3], 3, .bool))]", [0, 1, 1])[0].values(UInt8.self) == [0, 1, 1])
        let found = self.failure("[\(self.binary([3], 3, .bool))]", [0, 1, 2])
        #expect(found == .invalidBooleanByte(index: 2, pointer: "/0", offset: 1))
        #expect(found?.description == "element 2 of /0 is neither 0 nor 1; BOOL is one of them")
    }
}
