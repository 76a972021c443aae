import Foundation
import TensorFormats
import Tensors
import Testing

@Suite struct JSONWriterTests {
    @Test func valuesAreSeparated() {
        let text = written { writer in
            writer.object { writer in
                writer.name("a")
                writer.array { writer in
                    writer.integer(1)
                    writer.array { _ in }
                    writer.object { _ in }
                }
                writer.name("b")
                writer.string("x")
                writer.name("c")
                writer.decimal(tenths: 1)
                writer.name("d")
                writer.array { writer in
                    writer.boolean(true)
                    writer.null()
                    writer.number(1)
                    writer.boolean(false)
                }
            }
        }
        #expect(text == #"{"a":[1,[],{}],"b":"x","c":0.1,"d":[true,null,1,false]}"#)
    }

    @Test(
        arguments: [
            (0.75, "0.75"), (1e-12, "1e-12"), (-3, "-3"), (.pi, "3.141592653589793"), (.nan, #""NaN""#),
            (.infinity, #""Infinity""#), (-.infinity, #""-Infinity""#),
        ] as [(Double, String)]
    )
    func numbers(value: Double, text: String) {
        #expect(written { $0.number(value) } == text)
    }

    @Test func stringsAreEscaped() throws {
        let value = "\"\\/\u{0}\u{1f}\n\u{7f}é😀\u{2028}"
        let text = written { $0.string(value) }
        #expect(text == "\"\\\"\\\\/\\u0000\\u001f\\u000a\u{7f}é😀\u{2028}\"")
        #expect(try read(text) { (reader) throws(TensorFormatError) in try reader.readString() } == value)
    }

    @Test func integers() {
        for value in [0, 1, 9, 10, 99, 100, 12345, -1, -10, .max, .min] {
            #expect(written { $0.integer(value) } == "\(value)")
        }
        var power = 1
        for _ in 0..<18 {
            power *= 10
            for value in [power - 1, power, power + 1, -power] {
                #expect(written { $0.integer(value) } == "\(value)")
            }
        }
    }

    @Test func tenths() {
        for (value, text) in [
            (0, "0.0"), (7, "0.7"), (10, "1.0"), (214, "21.4"), (.max, "1844674407370955161.5"),
        ] as [(UInt64, String)] {
            #expect(written { $0.decimal(tenths: value) } == text)
        }
    }

    @Test func numbersDoNotDependOnTheLocale() throws {
        // Where that locale is not installed, the test shows nothing.
        let before = String(cString: setlocale(LC_ALL, nil))
        setlocale(LC_ALL, "de_DE.UTF-8")
        defer { setlocale(LC_ALL, before) }
        #expect(written { $0.decimal(tenths: 15) } == "1.5")
        let double = try tensor(.fp64, [1], [1.5])
        #expect(try written { try $0.tensorData(double, nested: false) } == "[1.5]")
        #expect(try decode("[1.5,1.2345678901234567890123456789]").values(Float.self) == [1.5, 1.2345679])
    }

    @Test func doubles() throws {
        for (value, text) in [
            (1.0, "1"), (-0.0, "-0"), (0.1, "0.1"), (1e22, "1e+22"), (.leastNonzeroMagnitude, "5e-324"),
            (.nan, "\"NaN\""),
            (-.infinity, "\"-Infinity\""), (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] {
            let double = try tensor(.fp64, [1], [value])
            #expect(try written { try $0.tensorData(double, nested: false) } == "[\(text)]")
        }
    }

    @Test func tensors() throws {
        let matrix = try tensor(.fp32, [1, 2, 2], [Float(1), 2, 3, .nan])
        #expect(
            try written { try $0.tensor(matrix, nested: false) }
                == #"{"shape":[1,2,2],"datatype":"FP32","data":[1,2,3,"NaN"]}"#
        )
        #expect(
            try written { try $0.tensor(matrix, nested: true) }
                == #"{"shape":[1,2,2],"datatype":"FP32","data":[[[1,2],[3,"NaN"]]]}"#
        )
        #expect(
            written { $0.binaryTensor(.fp16, shape: matrix.shape) }
                == #"{"shape":[1,2,2],"datatype":"FP16","parameters":{"binary_data_size":8}}"#
        )
        let scalar = try tensor(.int64, [], [Int64.min])
        #expect(try written { try $0.tensorData(scalar, nested: true) } == "[-9223372036854775808]")
        let flags = try tensor(.bool, [2], [true, false])
        #expect(try written { try $0.tensorData(flags, nested: false) } == "[true,false]")
    }

    @Test func aTensorWithoutElementsIsShort() throws {
        let empty = try tensor(.fp32, [1 << 40, 0, 1 << 10], [Float]())
        #expect(try written { try $0.tensorData(empty, nested: true) } == "[]")
        #expect(try written { try $0.tensorData(empty, nested: false) } == "[]")
    }

    @Test(arguments: [1, 511, 512, 513, 1024, 5000])
    func rowsOfAnyLength(_ count: Int) throws {
        let values = (0..<count).map { Float($0) * 0.37 - 100 }
        for nested in [false, true] {
            let row = try tensor(.fp32, [count], values)
            let text = try written { try $0.tensorData(row, nested: nested) }
            #expect(try decode(text).values(Float.self) == values)
        }
    }

    @Test func muchDataIsAPartOfItsOwn() throws {
        let values = (0..<100_000).map { Float($0) * 0.37 - 100 }
        for dimensions in [[100_000], [50_000, 2], [100_000, 1, 1], [1, 1, 100_000]] {
            let large = try tensor(.fp32, dimensions, values)
            var writer = JSONWriter()
            try writer.array { writer in
                try writer.tensorData(large, nested: true)
                try writer.tensor(large, nested: false)
                writer.integer(1)
            }
            let parts = writer.finish()
            let isBuffer = parts.map { if case .buffer = $0 { true } else { false } }
            #expect(isBuffer == [false, true, false, true, false])
            let text = bytes(of: parts)
            var shapes: [[Int]] = []
            try read(text) { (reader) throws(TensorFormatError) in
                try reader.readArray { (reader) throws(TensorFormatError) in
                    guard try reader.peekKind() != .number else { return try reader.skipValue() }
                    shapes.append(try reader.readTensor().shape?.dimensions ?? [])
                }
            }
            #expect(shapes == [[], dimensions])
            let nested = try written { try $0.tensorData(large, nested: true) }
            let decoded = try decode(nested)
            #expect(decoded.shape.dimensions == dimensions)
            #expect(decoded.values(Float.self) == values)
        }
    }

    @Test func theMemoryGrowsAsTheTextDoes() throws {
        // The longest numbers there are: twice as long as most.
        let values = Array(repeating: -2.2250738585072014e-308, count: 200_000)
        let text = try written { try $0.tensorData(try tensor(.fp64, [200_000], values), nested: true) }
        #expect(text.utf8.count == 200_000 * 25 + 1)
        #expect(try decode(text, as: .fp64).values(Double.self) == values)
    }

    @Test func theStandardLibraryReadsWhatIsWritten() throws {
        let values: [Float] = [0, -0.0, .leastNonzeroMagnitude, 3.4028235e38, 1e16, 123456.78, 1e-5, -1.5e-7]
        let matrix = try tensor(.fp32, [2, 4], values)
        let text = try written { try $0.tensorData(matrix, nested: true) }
        let rows = try JSONDecoder().decode([[Float]].self, from: Data(text.utf8))
        #expect(rows.flatMap { $0 } == values)
    }
}
