import TensorFormats
import Tensors
import Testing

@Suite struct JSONTensorTests {
    private func tensor(_ text: String) throws(TensorFormatError) -> JSONTensor {
        try read(text) { (reader) throws(TensorFormatError) in try reader.readTensor() }
    }

    @Test func aTensorObject() throws {
        let text = #" { "data" : [ 1, 2, 3, 4 ], "datatype": "FP64", "shape": [1, 2, 2] } "#
        let described = try self.tensor(text)
        #expect(described.shape?.dimensions == [1, 2, 2])
        #expect(described.dataType == .fp64)
        #expect(described.content == .text(12..<26))
        #expect(!described.isNested)
        #expect(described.pointer.isEmpty)
        #expect(described.offset == 1)
        let decoded = try decode(text)
        #expect(decoded.dataType == .fp64)
        #expect(decoded.values(Double.self) == [1, 2, 3, 4])
        #expect(Int(bitPattern: decoded.bytes.baseAddress) % 64 == 0)
    }

    @Test func aBinaryTensor() throws {
        let described = try self.tensor(#"{"shape":[2],"parameters":{"binary_data_size":8}}"#)
        #expect(described.content == .binary(byteCount: 8))
        #expect(described.dataType == nil)
        #expect(
            error { () throws(TensorFormatError) in
                _ = try described.decode(from: UnsafeRawBufferPointer(start: nil, count: 0), default: .fp32)
            } == .binaryWithoutFraming(pointer: "", offset: 0)
        )
    }

    @Test(
        arguments: [
            ("[]", [0], []), ("[ ]", [0], []), ("[[],[]]", [2, 0], []), ("[[[]]]", [1, 1, 0], []), ("[5]", [1], [5]),
            ("[[1,2],[3,4],[5,6]]", [3, 2], [1, 2, 3, 4, 5, 6]),
            (" [\n[ 1 ,\t2 ] , [3 , 4\r] ] ", [2, 2], [1, 2, 3, 4]),
            ("[[[1],[2]],[[3],[4]]]", [2, 2, 1], [1, 2, 3, 4]), (#"{"data":[1,2]}"#, [2], [1, 2]),
            (#"{"data":[[1],[2]]}"#, [2, 1], [1, 2]), (#"{"shape":[],"data":[7]}"#, [], [7]),
            (#"{"shape":[0,3],"data":[]}"#, [0, 3], []), (#"{"shape":[2,0,3],"data":[[],[]]}"#, [2, 0, 3], []),
            (#"{"shape":[2,0,3],"data":[]}"#, [2, 0, 3], []),
            (#"{"shape":[2,2],"data":[[1,2],[3,4]]}"#, [2, 2], [1, 2, 3, 4]),
            (#"{"shape":[2,2],"data":[1,2,3,4]}"#, [2, 2], [1, 2, 3, 4]),
            (#"{"shape":[999999999999,0],"data":[]}"#, [999_999_999_999, 0], []),
        ] as [(String, [Int], [Float])]
    )
    func shapes(_ text: String, _ dimensions: [Int], _ elements: [Float]) throws {
        let decoded = try decode(text)
        #expect(decoded.shape.dimensions == dimensions)
        #expect(decoded.values(Float.self) == elements)
    }

    @Test func nestingIsReported() throws {
        #expect(try self.tensor("[ [1]]").isNested)
        #expect(try !self.tensor("[1]").isNested)
        #expect(try self.tensor(#"{"data":[[1]]}"#).isNested)
    }

    @Test func integers() throws {
        #expect(try decode("[0,255,-0]", as: .uint8).values(UInt8.self) == [0, 255, 0])
        #expect(try decode("[-128,127]", as: .int8).values(Int8.self) == [-128, 127])
        #expect(try decode("[65535]", as: .uint16).values(UInt16.self) == [65535])
        #expect(try decode("[-32768,32767]", as: .int16).values(Int16.self) == [.min, .max])
        #expect(try decode("[4294967295]", as: .uint32).values(UInt32.self) == [.max])
        #expect(try decode("[-2147483648,2147483647]", as: .int32).values(Int32.self) == [.min, .max])
        #expect(try decode("[18446744073709551615]", as: .uint64).values(UInt64.self) == [.max])
        #expect(
            try decode("[-9223372036854775808,9223372036854775807]", as: .int64).values(Int64.self) == [.min, .max]
        )
        #expect(try decode("[true,false,1,0]", as: .bool).values(UInt8.self) == [1, 0, 1, 0])
    }

    @Test(arguments: [
        ("-1", DataType.uint8), ("256", .uint8), ("128", .int8), ("-129", .int8), ("65536", .uint16),
        ("32768", .int16), ("4294967296", .uint32), ("-2147483649", .int32), ("18446744073709551616", .uint64),
        ("99999999999999999999999", .uint64), ("-1", .uint64), ("9223372036854775808", .int64),
        ("-9223372036854775809", .int64), ("2", .bool), ("-1", .bool), ("300", .bool),
    ])
    func integersHaveARange(_ number: String, _ dataType: DataType) {
        #expect(
            decodingError("[0, \(number)]", as: dataType) == .elementOutOfRange(dataType, pointer: "/1", offset: 4)
        )
    }

    @Test func theRangeIsNamed() {
        #expect(
            decodingError(#"{"datatype":"INT8","data":[128]}"#)?.description
                == "/data/0 is out of range; INT8 holds -128 to 127"
        )
    }

    @Test func integersAreLiteral() {
        for number in ["1.0", "1e2", "-0.0"] {
            #expect(
                decodingError("[\(number)]", as: .int32) == .fractionalElement(.int32, pointer: "/0", offset: 1)
            )
        }
        #expect(
            decodingError("[1.5]", as: .uint8)?.description
                == "/0 has a fraction or an exponent; UINT8 needs an integer without a fraction or an exponent"
        )
        #expect(decodingError("[01]", as: .int8) == .malformedNumber(rule: .leadingZero, pointer: "/0", offset: 1))
        #expect(decodingError("[1.]", as: .int8) == .malformedNumber(rule: .noFractionDigits, pointer: "/0", offset: 1))
    }

    @Test(arguments: [
        ("true", DataType.fp32, JSONKind.boolean), ("false", .uint8, .boolean), ("null", .fp64, .null),
        (#""1""#, .fp16, .string), (#""nan""#, .bf16, .string), (#""NaN""#, .int32, .string), ("NaN", .int32, .number),
        ("-Infinity", .int64, .number), ("{}", .fp32, .object), ("null", .bool, .null), (#""true""#, .bool, .string),
    ])
    func elementsAreOfTheDataType(_ element: String, _ dataType: DataType, _ kind: JSONKind) {
        #expect(
            decodingError("[\(element)]", as: dataType)
                == .wrongElement(dataType, found: kind, pointer: "/0", offset: 1)
        )
    }

    @Test(arguments: ["+1", ".5", "Inf", "nan", "tru", "nul", "-Inf", "", "NAN", "1,", ",1", "#", "\u{0}"])
    func noElements(_ element: String) throws {
        let found = try #require(decodingError("[0,\(element)]"))
        #expect(found.isSyntaxError)
        #expect(try #require(found.pointer).hasPrefix("/"))
        #expect(found.description.contains("at byte \(found.offset ?? -1)"))
    }

    @Test(arguments: ["0x10", "1_0", "1 2", "1]2", "1:2", "1\"\"", "1-1", "1.5.2", "1e5e5", "NaN0"])
    func separators(_ elements: String) throws {
        let found = try #require(decodingError("[\(elements)]"))
        #expect(found.isSyntaxError)
    }

    @Test(arguments: [
        ("[[1,2],[3]]", TensorFormatError.raggedArray(expected: 2, found: 1, pointer: "/1", offset: 7)),
        ("[[1],[2,3]]", .raggedArray(expected: 1, found: nil, pointer: "/1", offset: 5)),
        ("[[[1],[2]],[[3]]]", .raggedArray(expected: 2, found: 1, pointer: "/1", offset: 11)),
        ("[[[1],[2]],[[3],[4,5]]]", .raggedArray(expected: 1, found: nil, pointer: "/1/1", offset: 16)),
        ("[[],[1]]", .raggedArray(expected: 0, found: nil, pointer: "/1", offset: 4)),
        ("[[1],2]", .numberForArray(pointer: "/1", offset: 5)), ("[1,[2]]", .arrayForNumber(pointer: "/1", offset: 3)),
        ("[[[1]],[2]]", .numberForArray(pointer: "/1/0", offset: 8)),
        ("[[1],[[2]]]", .arrayForNumber(pointer: "/1/0", offset: 6)),
        (#"{"shape":[2,2],"data":[[1.5,2.5]]}"#, .raggedArray(expected: 2, found: 1, pointer: "/data", offset: 22)),
        (#"{"shape":[1,2],"data":[[1,2],[3,4]]}"#, .raggedArray(expected: 1, found: nil, pointer: "/data", offset: 22)),
        (
            #"{"shape":[2,2],"data":[[1,2],[3,4,5]]}"#,
            .raggedArray(expected: 2, found: nil, pointer: "/data/1", offset: 29)
        ),
        (#"{"shape":[2,0],"data":[[],[1]]}"#, .raggedArray(expected: 0, found: nil, pointer: "/data/1", offset: 26)),
    ])
    func raggedArrays(_ text: String, _ expected: TensorFormatError) {
        #expect(decodingError(text) == expected)
    }

    @Test func aDeepPlaceIsNamed() {
        #expect(
            error { () throws(TensorFormatError) in
                let text = Array(#"{"input":{"data":[[1,2],[true,4]]}}"#.utf8)
                try text.withUnsafeBytes { (bytes) -> Result<Void, TensorFormatError> in
                    do throws(TensorFormatError) {
                        var reader = try JSONReader(bytes)
                        var described: JSONTensor?
                        try reader.readObject { (reader, _) throws(TensorFormatError) in
                            described = try reader.readTensor()
                        }
                        _ = try described?.decode(from: bytes, default: .fp32)
                        return .success(())
                    } catch {
                        return .failure(error)
                    }
                }.get()
            } == .wrongElement(.fp32, found: .boolean, pointer: "/input/data/1/0", offset: 25)
        )
    }

    @Test func dataFillsTheShape() throws {
        let shape = try Shape([2, 3])
        for (data, count) in [("1,2", 2), ("", 0), (" ", 0), ("1,2,3,4,5,6,7", 7)] {
            #expect(
                decodingError(#"{"shape":[2,3],"data":[\#(data)]}"#)
                    == .elementCount(count, shape: shape, pointer: "/data", offset: 22)
            )
        }
        #expect(
            decodingError(#"{"shape":[2,3],"data":[1,2]}"#)?.description
                == "/data has 2 elements; the shape [2, 3] needs 6"
        )
    }

    @Test func aShapeIsNotBelieved() throws {
        // An exabyte is asked for; no memory may be taken for it.
        let huge = 1 << 60
        #expect(
            decodingError(#"{"shape":[\#(huge)],"data":[1]}"#)
                == .elementCount(1, shape: try Shape([huge]), pointer: "/data", offset: 38)
        )
        #expect(
            decodingError(#"{"shape":[\#(huge)],"data":[[1]]}"#)
                == .nestingDisagrees(rank: 2, shape: try Shape([huge]), pointer: "/data", offset: 38)
        )
    }

    @Test func nestingAgreesWithTheShape() throws {
        let text = #"{"shape":[2],"data":[[1,2]]}"#
        #expect(
            decodingError(text) == .nestingDisagrees(rank: 2, shape: try Shape([2]), pointer: "/data", offset: 20)
        )
        #expect(decodingError(text)?.description == "/data is nested 2 deep; the shape [2] has 1 dimension")
        #expect(
            decodingError(#"{"shape":[],"data":[[1]]}"#)
                == .nestingDisagrees(rank: 2, shape: try Shape([]), pointer: "/data", offset: 19)
        )
    }

    @Test func shapesAreShapes() {
        #expect(
            decodingError(#"{"shape":[2,-1],"data":[]}"#)
                == .invalidShape(.negativeDimension(axis: 1, -1), pointer: "/shape", offset: 9)
        )
        #expect(
            decodingError(#"{"shape":[4294967296,4294967296,0],"data":[]}"#)
                == .invalidShape(.tooManyElements, pointer: "/shape", offset: 9)
        )
        #expect(decodingError(#"{"shape":[1.0],"data":[1]}"#) == .notAnInteger(pointer: "/shape/0", offset: 10))
        #expect(
            decodingError(#"{"shape":3,"data":[]}"#)
                == .wrongKind(expected: "an array", found: .number, pointer: "/shape", offset: 9)
        )
        let ones = Array(repeating: "1", count: 33).joined(separator: ",")
        #expect(
            decodingError(#"{"shape":[\#(ones)],"data":[1]}"#)
                == .tooManyDimensions(count: 33, limit: 32, pointer: "/shape", offset: 9)
        )
    }

    @Test func inferredShapesAreNoDeeperThanStatedOnes() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try decode(nested(32)).shape.dimensions == Array(repeating: 1, count: 31) + [0])
        #expect(decodingError(nested(33)) == .tooManyDimensions(count: 33, limit: 32, pointer: "", offset: 0))
    }

    @Test func dataTypesAreNamed() {
        let found = decodingError(#"{"datatype":"float32","data":[]}"#)
        #expect(found == .unknownDataType(name: "float32", pointer: "/datatype", offset: 12))
        #expect(
            found?.description == "/datatype is 'float32'; it must be one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8,"
                + " INT16, INT32, INT64, FP16, BF16, FP32, FP64"
        )
    }

    @Test(arguments: [
        (#"{"shape":[1]}"#, TensorFormatError.neitherDataNorBinary(pointer: "", offset: 0)),
        (#"{"data":[1],"parameters":{"binary_data_size":4}}"#, .dataAndBinary(pointer: "", offset: 0)),
        (#"{"parameters":{}}"#, .missingMember(name: "binary_data_size", pointer: "/parameters", offset: 14)),
        (#"{"parameters":{"binary":1}}"#, .unknownMember(name: "binary", pointer: "/parameters", offset: 24)),
        (#"{"name":"x","data":[1]}"#, .unknownMember(name: "name", pointer: "", offset: 8)),
        (
            #"{"parameters":{"binary_data_size":-4}}"#,
            .integerOutOfRange(range: "a number of bytes", pointer: "/parameters/binary_data_size", offset: 34)
        ),
        (#"{"data":[1],"data":[1]}"#, .duplicateMember(name: "data", pointer: "", offset: 12)),
        (#"{"data":1}"#, .wrongKind(expected: "an array", found: .number, pointer: "/data", offset: 8)),
        (#"{"data":null}"#, .wrongKind(expected: "an array", found: .null, pointer: "/data", offset: 8)),
        (
            "5",
            .wrongKind(
                expected: "a tensor: an array of numbers, or an object with shape and data",
                found: .number,
                pointer: "",
                offset: 0
            )
        ),
    ])
    func members(_ text: String, _ expected: TensorFormatError) {
        #expect(decodingError(text) == expected)
    }

    @Test func nestingIsLimited() {
        let text = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(decodingError(text) == .nestedTooDeeply(limit: 64, offset: 64))
        #expect(decodingError(String(repeating: "[", count: 100_000)) == .nestedTooDeeply(limit: 64, offset: 64))
    }

    @Test func bracketsInStringsAreNoBrackets() {
        #expect(decodingError(#"["]"]"#) == .wrongElement(.fp32, found: .string, pointer: "/0", offset: 1))
        #expect(decodingError(#"["\"]", 1]"#) == .wrongElement(.fp32, found: .string, pointer: "/0", offset: 1))
        #expect(decodingError(#"[{"a":[1]}]"#) == .wrongElement(.fp32, found: .object, pointer: "/0", offset: 1))
        #expect(decodingError(#"[1, "]"#) == .unexpectedEnd(offset: 6))
    }
}
