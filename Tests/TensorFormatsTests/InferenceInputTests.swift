import TensorFormats
import Testing

@Suite struct InferenceInputTests {
    private func input(_ text: String) throws(TensorFormatError) -> InferenceInput {
        try read(text) { (reader) throws(TensorFormatError) in try reader.readInferenceInput() }
    }

    private func failure(_ text: String) -> TensorFormatError? {
        error { () throws(TensorFormatError) in _ = try self.input(text) }
    }

    @Test func dataInTheText() throws {
        let text = #"{"data": [1, [2]] , "datatype":"FP32", "name":"input", "shape":[2, 1]}"#
        let input = try self.input(text)
        #expect(input.name == "input")
        #expect(input.dataType == "FP32")
        #expect(input.tensor?.shape?.dimensions == [2, 1])
        #expect(input.tensor?.content == .text(9..<17))
        #expect(input.tensor?.dataType == nil)
    }

    @Test func bytesBehindTheText() throws {
        let text = #"{"name":"x","shape":[0],"datatype":"FP16","parameters":{"own":[{}],"binary_data_size":6}}"#
        #expect(try self.input(text).tensor?.content == .binary(byteCount: 6))
    }

    @Test func bytesInSharedMemory() throws {
        let text = #"{"name":"x","shape":[2],"datatype":"FP16","parameters":{"shared_memory_region":"r"}}"#
        #expect(try self.input(text).tensor == nil)
    }

    @Test("Members that nobody knows are passed over, but must be JSON")
    func unknownMembers() throws {
        let members = #""name":"x","shape":[1],"datatype":"FP32","data":[1]"#
        for member in [
            #""more":{"a":[1,"]",null]}"#, #""é":1"#, #""":true"#, "\"\(String(repeating: "n", count: 99))\":0",
        ] {
            #expect(try self.input("{\(member),\(members)}").name == "x")
            #expect(try self.input("{\(members),\(member),\(member)}").name == "x")
        }
        #expect(self.failure(#"{"more":[1,}"#) != nil)
        #expect(self.failure(#"{"more":nulL}"#) != nil)
        guard case .nestedTooDeeply = self.failure(#"{"more":"# + String(repeating: "[", count: 1000)) else {
            Issue.record("what is passed over has its limits")
            return
        }
    }

    @Test func namesAreSafeToShow() throws {
        let text = #"{"name":"a\u0007é","shape":[1],"datatype":"\#(String(repeating: "x", count: 90))","data":[1]}"#
        let input = try self.input(text)
        #expect(input.name == #"a\u{07}\u{00E9}"#)
        #expect(input.dataType == String(repeating: "x", count: 64) + "…")
    }

    @Test(
        "Each rule has its error",
        arguments: [
            (#"[]"#, .wrongKind(expected: "an object", found: .array, pointer: "", offset: 0)),
            (#"{"shape":[1],"datatype":"FP32","data":[1]}"#, .missingMember(name: "name", pointer: "", offset: 0)),
            (#"{"name":"x","shape":[1],"data":[1]}"#, .missingMember(name: "datatype", pointer: "", offset: 0)),
            (#"{"name":"x","datatype":"FP32","data":[1]}"#, .missingMember(name: "shape", pointer: "", offset: 0)),
            (#"{"name":"x","datatype":"FP32","shape":[1]}"#, .neitherDataNorBinary(pointer: "", offset: 0)),
            (
                #"{"name":"x","datatype":"FP32","shape":[1],"parameters":{}}"#,
                .neitherDataNorBinary(pointer: "", offset: 0)
            ),
            (
                #"{"name":"x","datatype":"FP32","shape":[1],"data":[1],"parameters":{"binary_data_size":4}}"#,
                .dataAndBinary(pointer: "", offset: 0)
            ),
            (
                #"{"parameters":{"binary_data_size":-1}}"#,
                .integerOutOfRange(range: "a number of bytes", pointer: "/parameters/binary_data_size", offset: 34)
            ),
            (
                #"{"parameters":{"shared_memory_region":1}}"#,
                .wrongKind(
                    expected: "a string",
                    found: .number,
                    pointer: "/parameters/shared_memory_region",
                    offset: 38
                )
            ),
            (#"{"name":"x","name":"x"}"#, .duplicateMember(name: "name", pointer: "", offset: 12)),
            (#"{"data":1}"#, .wrongKind(expected: "an array", found: .number, pointer: "/data", offset: 8)),
        ] as [(String, TensorFormatError)]
    )
    func refusals(text: String, expected: TensorFormatError) {
        #expect(self.failure(text) == expected)
    }
}
