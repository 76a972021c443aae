import AlignedMemory
import TensorFormats
import Tensors
import Testing

/// The bytes of a file with this header, its length before it.
func safetensors(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    safetensors(Array(header.utf8), data)
}

func safetensors(_ header: [UInt8], _ data: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + data
}

/// Reads the header of `file`, held in exactly as many bytes as it has.
func header(
    of file: [UInt8],
    fileByteCount: Int? = nil,
    byteLimit: Int = SafetensorsHeader.byteLimit
) throws(TensorFormatError) -> SafetensorsHeader {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: file)
    return try SafetensorsHeader(UnsafeRawBufferPointer(copy), fileByteCount: fileByteCount, byteLimit: byteLimit)
}

private func copy(
    of entry: SafetensorsEntry,
    _ file: [UInt8],
    elementLimit: Int = .max
) throws(TensorFormatError) -> Tensor {
    try file.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
        try entry.tensor(copiedFrom: UnsafeRawBufferPointer(bytes), elementLimit: elementLimit)
    }
}

@Suite struct SafetensorsHeaderTests {
    private func fault(_ file: [UInt8], byteLimit: Int = SafetensorsHeader.byteLimit) -> SafetensorsFault? {
        let found = error { () throws(TensorFormatError) in _ = try header(of: file, byteLimit: byteLimit) }
        guard case .safetensors(let fault) = found else { return nil }
        return fault
    }

    private func fault(_ header: String, _ byteCount: Int = 0) -> SafetensorsFault? {
        self.fault(safetensors(header, Array(repeating: 0, count: byteCount)))
    }

    /// What is wrong with the header's JSON.
    private func jsonError(_ header: String, _ byteCount: Int = 0) -> TensorFormatError? {
        guard case .invalidHeader(let error) = self.fault(header, byteCount) else { return nil }
        return error
    }

    private func entry(_ type: String, _ shape: [Int], _ begin: Int, _ end: Int) -> String {
        #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
    }

    @Test func entriesComeInTheOrderOfTheirBytes() throws {
        let text =
            #"{"b":\#(entry("F32", [2], 3, 11)),"__metadata__":{"z":"1","é":"\u00e9"},"a":\#(entry("U8", [3], 0, 3))}  "#
        let found = try header(of: safetensors(text, Array(repeating: 0, count: 11)))
        let start = 8 + text.utf8.count
        #expect(found.dataOffset == start)
        #expect(found.entries.map(\.name) == ["a", "b"])
        #expect(found.entries.map(\.byteRange) == [start..<start + 3, start + 3..<start + 11])
        #expect(found["b"]?.type == .f32 && found["b"]?.shape.dimensions == [2] && found["c"] == nil)
        #expect(found.metadata.map(\.name) == ["z", "é"] && found.metadata.map(\.value) == ["1", "é"])
    }

    @Test func aFileWithoutTensorsIsOne() throws {
        for text in ["{}", "{}      ", #"{"__metadata__":{}}"#] {
            #expect(try header(of: safetensors(text)).entries.isEmpty)
        }
    }

    @Test func tensorsWithoutElementsTakeNoBytes() throws {
        let text =
            #"{"s":\#(entry("F64", [], 0, 8)),"e":\#(entry("I16", [4, 0], 8, 8)),"d":\#(entry("BF16", [0], 0, 0))}"#
        let found = try header(of: safetensors(text, Array(repeating: 0, count: 8)))
        #expect(found.entries.map(\.name) == ["d", "s", "e"])
    }

    @Test("The types of others may be in the file", arguments: SafetensorsDataType.allCases)
    func everyTypeHasItsSize(type: SafetensorsDataType) throws {
        let file = safetensors(
            "{\"x\":\(entry(type.rawValue, [8], 0, type.bitWidth))}",
            Array(repeating: 0, count: type.bitWidth)
        )
        let found = try #require(try header(of: file)["x"])
        #expect(found.type == type)
        let buffer = try AlignedBuffer(capacity: file.count)
        buffer[0..<file.count].copyBytes(from: file)
        if let dataType = type.dataType {
            #expect(SafetensorsDataType(dataType) == type && dataType.byteWidth * 8 == type.bitWidth)
            #expect(try found.tensor(in: buffer, at: 0).shape.dimensions == [8])
            #expect(try file.withUnsafeBytes { try found.tensor(copiedFrom: $0) }.dataType == dataType)
        } else {
            let fault = error { () throws(TensorFormatError) in _ = try found.tensor(in: buffer, at: 0) }
            #expect(fault == .safetensors(.unsupportedDataType(tensor: "x", type)))
        }
        #expect(
            self.fault("{\"x\":\(entry(type.rawValue, [8], 0, type.bitWidth + 1))}", type.bitWidth + 1)
                == .sizeMismatch(tensor: "x", byteCount: type.bitWidth + 1, needed: type.bitWidth)
        )
    }

    @Test func tensorsAreViewsWhereTheyAreAligned() throws {
        let text = #"{"x":\#(entry("U16", [2], 0, 4))}"#
        let file = safetensors(text, [1, 2, 3, 4])
        let entry = try #require(try header(of: file)["x"])
        for offset in 0..<64 {
            let buffer = try AlignedBuffer(capacity: offset + file.count)
            buffer[offset..<offset + file.count].copyBytes(from: file)
            let tensor = try entry.tensor(in: buffer, at: offset)
            #expect(tensor.values(UInt16.self) == [0x0201, 0x0403])
            #expect((tensor.buffer === buffer) == ((offset + file.count) % 2 == 0))
        }
        #expect(try file.withUnsafeBytes { try entry.tensor(copiedFrom: $0) }.values(UInt16.self) == [0x0201, 0x0403])
    }

    @Test func tensorsAreNoLargerThanAllowed() throws {
        let file = safetensors(#"{"x":\#(entry("U8", [3], 0, 3))}"#, [0, 1, 2])
        let entry = try #require(try header(of: file)["x"])
        let found = error { () throws(TensorFormatError) in
            _ = try copy(of: entry, file, elementLimit: 2)
        }
        #expect(found == .tooManyElements(3, limit: 2, pointer: "/x", offset: entry.byteRange.lowerBound))
    }

    @Test func booleansAreZeroOrOne() throws {
        let file = safetensors(#"{"x":\#(entry("BOOL", [3], 0, 3))}"#, [0, 1, 2])
        let entry = try #require(try header(of: file)["x"])
        let found = error { () throws(TensorFormatError) in
            _ = try copy(of: entry, file)
        }
        #expect(found == .invalidBooleanByte(index: 2, pointer: "/x", offset: entry.byteRange.lowerBound))
    }

    @Test func theHeaderSuffices() throws {
        let file = safetensors(#"{"x":\#(entry("U8", [1000], 0, 1000))}"#)
        #expect(try header(of: file, fileByteCount: file.count + 1000).entries.count == 1)
        #expect(try file.withUnsafeBytes { try SafetensorsHeader.dataOffset($0) } == file.count)
        let found = error { () throws(TensorFormatError) in
            _ = try header(of: Array(file.dropLast()), fileByteCount: file.count + 1000)
        }
        #expect(found == .safetensors(.headerBeyondEnd(byteCount: file.count - 8, available: file.count - 9)))
    }

    // MARK: One rule each

    @Test func theLengthIsThere() {
        for count in 0..<8 {
            #expect(self.fault(Array(repeating: 0, count: count)) == .noHeaderLength(byteCount: count))
        }
    }

    @Test(arguments: [100_000_001, UInt64(Int.max) + 1, .max])
    func theHeaderIsNotTooLarge(length: UInt64) {
        let file = withUnsafeBytes(of: length.littleEndian, Array.init) + Array("{}".utf8)
        #expect(self.fault(file) == .headerTooLarge(byteCount: length, limit: 100_000_000))
    }

    @Test func theCallerMayAllowLess() {
        #expect(self.fault(safetensors("{}   "), byteLimit: 5) == nil)
        #expect(self.fault(safetensors("{}    "), byteLimit: 5) == .headerTooLarge(byteCount: 6, limit: 5))
    }

    @Test(arguments: [3, 100_000_000])
    func theHeaderEndsWithinTheFile(length: UInt64) {
        let file = withUnsafeBytes(of: length.littleEndian, Array.init) + Array("{}".utf8)
        #expect(self.fault(file) == .headerBeyondEnd(byteCount: Int(length), available: 2))
    }

    @Test(arguments: ["", " {}", "[]", "\u{feff}{}", "null"])
    func theHeaderBeginsWithABrace(text: String) {
        #expect(self.fault(text) == .noOpeningBrace)
    }

    @Test func theHeaderIsJSON() {
        #expect(self.jsonError("{") == .unexpectedEnd(offset: 1))
        #expect(self.jsonError("{} x") == .trailingBytes(offset: 3))
        #expect(self.jsonError("{}\0") == .trailingBytes(offset: 2))
        #expect(self.jsonError(#"{"a":"#) == .unexpectedEnd(offset: 5))
        #expect(
            self.jsonError("{a:1}") == .unexpectedByte(expected: "a member's name in quotes", pointer: "", offset: 1)
        )
        #expect(
            self.fault(safetensors(Array(#"{""#.utf8) + [0xff] + Array(#"":1}"#.utf8), []))
                == .invalidHeader(.invalidUTF8(offset: 1))
        )
    }

    @Test func namesAreUnique() {
        let twice = #"{"x":\#(entry("U8", [], 0, 1)),"\u0078":\#(entry("U8", [], 1, 2))}"#
        #expect(self.fault(twice, 2) == .duplicateName("x"))
        #expect(self.fault(#"{"__metadata__":{},"__metadata__":{}}"#) == .duplicateName("__metadata__"))
        #expect(self.fault(#"{"__metadata__":{"k":"","k":""}}"#) == .duplicateName("k"))
        // The same text for a reader, but other bytes.
        #expect(self.fault(#"{"é":\#(entry("U8", [], 0, 1)),"e\u0301":\#(entry("U8", [], 1, 2))}"#, 2) == nil)
    }

    @Test func metadataAreStrings() {
        for text in ["1", "null", "[]", "{}"] {
            let found = self.jsonError(#"{"__metadata__":{"k":\#(text)}}"#)
            guard case .wrongKind("a string", _, "/__metadata__/k", 21) = found else {
                Issue.record("\(String(describing: found))")
                continue
            }
        }
        #expect(
            self.jsonError(#"{"__metadata__":[]}"#)
                == .wrongKind(expected: "an object", found: .array, pointer: "/__metadata__", offset: 16)
        )
    }

    @Test func entriesAreObjectsOfThreeMembers() {
        #expect(
            self.jsonError(#"{"x":7}"#) == .wrongKind(expected: "an object", found: .number, pointer: "/x", offset: 5)
        )
        for (name, rest) in [
            ("dtype", #""shape":[],"data_offsets":[0,0]"#), ("shape", #""dtype":"U8","data_offsets":[0,0]"#),
            ("data_offsets", #""dtype":"U8","shape":[]"#),
        ] {
            #expect(self.jsonError(#"{"x":{\#(rest)}}"#) == .missingMember(name: name, pointer: "/x", offset: 5))
        }
        #expect(
            self.jsonError(#"{"x":{"dtype":"U8","size":1}}"#) == .unknownMember(name: "size", pointer: "/x", offset: 26)
        )
        #expect(
            self.jsonError(#"{"x":{"dtype":"U8","dtype":"U8"}}"#)
                == .duplicateMember(name: "dtype", pointer: "/x", offset: 19)
        )
    }

    @Test(arguments: ["F128", "f32", "FP32", ""])
    func typesAreTheFormats(name: String) {
        #expect(self.fault("{\"x\":\(entry(name, [], 0, 4))}", 4) == .unknownDataType(tensor: "x", name: name))
    }

    @Test func shapesAreShapes() throws {
        #expect(
            self.jsonError("{\"x\":\(entry("U8", [-1], 0, 0))}")
                == .invalidShape(.negativeDimension(axis: 0, -1), pointer: "/x/shape", offset: 27)
        )
        #expect(
            self.jsonError("{\"x\":\(entry("U8", [1 << 32, 1 << 32], 0, 0))}")
                == .invalidShape(.tooManyElements, pointer: "/x/shape", offset: 27)
        )
        #expect(
            self.jsonError(#"{"x":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1)
                == .notAnInteger(pointer: "/x/shape/0", offset: 28)
        )
    }

    @Test func offsetsAreTwoSizes() {
        for offsets in ["[]", "[0]"] {
            #expect(
                self.jsonError(#"{"x":{"data_offsets":\#(offsets)}}"#)
                    == .wrongKind(expected: "two integers", found: .array, pointer: "/x/data_offsets", offset: 21)
            )
        }
        #expect(
            self.jsonError(#"{"x":{"data_offsets":[0,0,0]}}"#)
                == .tooManyDimensions(count: 3, limit: 2, pointer: "/x/data_offsets", offset: 21)
        )
        #expect(
            self.jsonError(#"{"x":{"data_offsets":[-1,0]}}"#)
                == .integerOutOfRange(range: "a number of bytes", pointer: "/x/data_offsets", offset: 21)
        )
        let beyond = self.jsonError("{\"x\":\(entry("U8", [1], .max - 1, .max))}")
        #expect(beyond == .integerOutOfRange(range: "within the file", pointer: "/x", offset: 5))
    }

    @Test func tensorsDoNotEndBeforeTheyBegin() {
        #expect(
            self.fault("{\"x\":\(entry("U8", [1], 1, 0))}", 1) == .reversedOffsets(tensor: "x", begin: 1, end: 0)
        )
    }

    @Test func thereAreNoHoles() {
        #expect(
            self.fault("{\"x\":\(entry("U8", [1], 1, 2))}", 2) == .notContiguous(tensor: "x", begin: 1, expected: 0)
        )
        #expect(
            self.fault("{\"x\":\(entry("U8", [1], 0, 1)),\"y\":\(entry("U8", [1], 2, 3))}", 3)
                == .notContiguous(tensor: "y", begin: 2, expected: 1)
        )
    }

    @Test func noByteIsShared() {
        #expect(
            self.fault("{\"x\":\(entry("U8", [2], 0, 2)),\"y\":\(entry("U8", [2], 1, 3))}", 3)
                == .notContiguous(tensor: "y", begin: 1, expected: 2)
        )
        #expect(
            self.fault("{\"x\":\(entry("U8", [2], 0, 2)),\"y\":\(entry("U8", [2], 0, 2))}", 2)
                == .notContiguous(tensor: "y", begin: 0, expected: 2)
        )
    }

    @Test func sizesAreThoseOfTypeAndShape() {
        #expect(
            self.fault("{\"x\":\(entry("F32", [2], 0, 7))}", 7)
                == .sizeMismatch(tensor: "x", byteCount: 7, needed: 8)
        )
        #expect(
            self.fault("{\"x\":\(entry("F64", [1 << 60], 0, 0))}", 0)
                == .sizeMismatch(tensor: "x", byteCount: 0, needed: nil)
        )
    }

    @Test func packedElementsFillBytes() {
        #expect(self.fault("{\"x\":\(entry("F4", [3], 0, 2))}", 2) == .partialByte(tensor: "x"))
        #expect(self.fault("{\"x\":\(entry("F6_E2M3", [4], 0, 3))}", 3) == nil)
    }

    @Test(arguments: [0, 3, 5])
    func theTensorsEndWhereTheFileDoes(count: Int) {
        #expect(
            self.fault("{\"x\":\(entry("F32", [], 0, 4))}", count) == .dataSize(described: 4, available: count)
        )
    }

    @Test func faultsHaveWords() {
        let found = error { () throws(TensorFormatError) in
            _ = try header(of: safetensors("{\"a\\nb\":\(entry("F32", [2], 0, 7))}", Array(repeating: 0, count: 7)))
        }
        #expect(
            found?.description
                == #"this is no safetensors file: 'a\nb' has 7 bytes; its dtype and shape need 8"#
        )
        let nested = error { () throws(TensorFormatError) in _ = try header(of: safetensors("{")) }
        #expect(
            nested?.description == "this is no safetensors file: in its header, the JSON ends at byte 1, within a value"
        )
    }

    // MARK: Anything at all

    @Test func everyPrefixIsAnError() {
        let file = safetensors(
            #"{"__metadata__":{"a":"b"},"x":\#(entry("F16", [2, 1], 0, 4))}"#,
            [1, 2, 3, 4]
        )
        #expect(self.fault(file) == nil)
        for count in file.indices {
            #expect(self.fault(Array(file[..<count])) != nil, "\(count)")
        }
    }

    @Test func changedFilesDoNotCrash() {
        var generator = SeededGenerator(31)
        let original = safetensors(
            #"{"__metadata__":{"k":"v"},"y":\#(entry("F32", [1, 2], 4, 12)),"x":\#(entry("U8", [4], 0, 4))} "#,
            Array(repeating: 7, count: 12)
        )
        var outcomes = [0, 0]
        for _ in 0..<50_000 {
            var file = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = file.indices.randomElement(using: &generator) ?? 0
                switch generator.next() % 4 {
                case 0: file[index] = UInt8(truncatingIfNeeded: generator.next())
                case 1: file.remove(at: index)
                case 2: file.insert(UInt8(ascii: "0"), at: index)
                default: file[index] ^= 1 << UInt8(generator.next() % 8)
                }
            }
            guard let header = try? header(of: file) else {
                outcomes[1] += 1
                continue
            }
            outcomes[0] += 1
            for entry in header.entries {
                let tensor = file.withUnsafeBytes { try? entry.tensor(copiedFrom: $0) }
                if let tensor, !tensor.bits.elementsEqual(file[entry.byteRange]) {
                    Issue.record("\(entry)")
                }
            }
        }
        #expect(outcomes.allSatisfy { $0 > 500 })
    }
}
