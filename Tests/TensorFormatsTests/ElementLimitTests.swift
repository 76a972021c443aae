import AlignedMemory
import TensorFormats
import Tensors
import Testing

@Suite struct ElementLimitTests {
    /// The number of elements in the tensor `text`, or why there is none.
    private func outcome(_ text: String, limit: Int) -> Result<Int, TensorFormatError> {
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(TensorFormatError) {
                var reader = try JSONReader(bytes)
                let tensor = try reader.readTensor()
                return .success(try tensor.decode(from: bytes, default: .fp32, elementLimit: limit).shape.elementCount)
            } catch {
                return .failure(error)
            }
        }
    }

    @Test(
        arguments: [
            ("[1,2,3]", 3), ("[[1,2],[3,4]]", 4), ("[ [1 , 2]\n, [3,4]]", 4), (#"{"data":[[1],[2],[3]]}"#, 3),
            (#"{"shape":[3],"data":[1,2,3]}"#, 3), (#"{"shape":[2,2],"data":[[1,2],[3,4]]}"#, 4), ("[\"NaN\",1]", 2),
            ("[1]", 1),
        ] as [(String, Int)]
    )
    func theLimitIsTheLargestCount(text: String, count: Int) throws {
        #expect(self.outcome(text, limit: count) == .success(count))
        #expect(self.outcome(text, limit: .max) == .success(count))
        guard
            case .failure(.tooManyElements(count, limit: count - 1, let pointer, _)) =
                self.outcome(text, limit: count - 1)
        else {
            Issue.record("\(self.outcome(text, limit: count - 1))")
            return
        }
        #expect(pointer == (text.contains("shape") ? "/shape" : text.contains("data") ? "/data" : ""))
    }

    @Test("White space and long numbers are no elements")
    func bytesAreNotElements() {
        let spaces = String(repeating: " ", count: 1000)
        #expect(self.outcome("[\(spaces)1,\(spaces)2]", limit: 2) == .success(2))
        #expect(self.outcome("[0.\(String(repeating: "1", count: 1000))]", limit: 1) == .success(1))
    }

    @Test(arguments: ["[]", "[[],[],[],[]]", "[ [ ] ,\n[] ]", #"{"shape":[9,0],"data":[]}"#])
    func emptyArraysHaveNoElements(text: String) {
        #expect(self.outcome(text, limit: 1) == .success(0))
    }

    @Test func aHugeShapeTakesNoMemory() {
        let text = #"{"shape":[1152921504606846976],"data":[1]}"#
        #expect(
            self.outcome(text, limit: 1 << 28)
                == .failure(.tooManyElements(1 << 60, limit: 1 << 28, pointer: "/shape", offset: 0))
        )
    }

    @Test(arguments: [(4, true), (3, false)])
    func binaryTensorsAreLimitedByTheirShape(limit: Int, isAllowed: Bool) throws {
        let json = #"{"shape":[4],"datatype":"UINT8","parameters":{"binary_data_size":4}}"#
        let buffer = try AlignedBuffer(capacity: json.utf8.count + 4)
        buffer[0..<buffer.capacity].initializeMemory(as: UInt8.self, repeating: 0)
        buffer[0..<json.utf8.count].copyBytes(from: json.utf8)
        var body = try BinaryFraming(
            buffer: buffer,
            body: 0..<json.utf8.count + 4,
            jsonByteCount: json.utf8.count,
            elementLimit: limit
        )
        var reader = try JSONReader(body.json)
        let described = try reader.readTensor()
        try body.assignBytes(to: [described])
        let found = error { () throws(TensorFormatError) in _ = try body.decode(described, default: .fp32) }
        #expect(found == (isAllowed ? nil : .tooManyElements(4, limit: 3, pointer: "/shape", offset: 0)))
        #expect(found.map { $0.description == "/shape makes a tensor of 4 elements; at most 3 are allowed" } != false)
    }

    @Test func textsWithinABinaryBodyAreLimitedToo() throws {
        let json = "[1,2,3]"
        let buffer = try AlignedBuffer(capacity: json.utf8.count)
        buffer[0..<json.utf8.count].copyBytes(from: json.utf8)
        let body = try BinaryFraming(
            buffer: buffer,
            body: 0..<json.utf8.count,
            jsonByteCount: nil,
            elementLimit: 2
        )
        var reader = try JSONReader(body.json)
        let described = try reader.readTensor()
        let found = error { () throws(TensorFormatError) in _ = try body.decode(described, default: .fp32) }
        #expect(found == .tooManyElements(3, limit: 2, pointer: "", offset: 0))
        #expect(found?.description == "the JSON text makes a tensor of 3 elements; at most 2 are allowed")
    }
}
