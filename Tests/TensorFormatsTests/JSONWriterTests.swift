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
                    writer.boolean(true)
                    writer.boolean(false)
                    writer.null()
                }
                writer.name("b")
                writer.string("x")
                writer.name("c")
                writer.number(0.1)
            }
        }
        #expect(text == #"{"a":[1,[],{},true,false,null],"b":"x","c":0.1}"#)
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

    @Test func fixedDecimals() {
        for (value, text) in [
            (21.44, "21.4"), (0.05, "0.1"), (0, "0.0"), (31, "31.0"), (0.25, "0.2"), (1e15, "1000000000000000.0"),
            (-0.04, "-0.0"), (.nan, "\"NaN\""), (.infinity, "\"Infinity\""), (99.96, "100.0"),
        ] {
            #expect(written { $0.number(value, fractionDigits: 1) } == text)
        }
        #expect(written { $0.number(2.5, fractionDigits: 0) } == "2")
        #expect(written { $0.number(.greatestFiniteMagnitude, fractionDigits: 100) }.count == 410)
    }

    @Test func numbersDoNotDependOnTheLocale() throws {
        // Where that locale is not installed, the test shows nothing.
        let before = String(cString: setlocale(LC_ALL, nil))
        setlocale(LC_ALL, "de_DE.UTF-8")
        defer { setlocale(LC_ALL, before) }
        #expect(written { $0.number(1.5) } == "1.5")
        #expect(written { $0.number(1.5, fractionDigits: 2) } == "1.50")
        #expect(try decode("[1.5,1.2345678901234567890123456789]").values(Float.self) == [1.5, 1.2345679])
    }

    @Test func doubles() {
        for (value, text) in [
            (1.0, "1"), (-0.0, "-0"), (0.1, "0.1"), (1e22, "1e+22"), (.leastNonzeroMagnitude, "5e-324"),
            (.nan, "\"NaN\""),
            (-.infinity, "\"-Infinity\""), (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] {
            #expect(written { $0.number(value) } == text)
        }
    }

    @Test func tensors() throws {
        let matrix = try tensor(.fp32, [1, 2, 2], [Float(1), 2, 3, .nan])
        #expect(
            written { $0.tensor(matrix, nested: false) }
                == #"{"shape":[1,2,2],"datatype":"FP32","data":[1,2,3,"NaN"]}"#
        )
        #expect(
            written { $0.tensor(matrix, nested: true) }
                == #"{"shape":[1,2,2],"datatype":"FP32","data":[[[1,2],[3,"NaN"]]]}"#
        )
        #expect(
            written { $0.binaryTensor(.fp16, shape: matrix.shape) }
                == #"{"shape":[1,2,2],"datatype":"FP16","parameters":{"binary_data_size":8}}"#
        )
        let scalar = try tensor(.int64, [], [Int64.min])
        #expect(written { $0.tensorData(scalar, nested: true) } == "[-9223372036854775808]")
        let flags = try tensor(.bool, [2], [true, false])
        #expect(written { $0.tensorData(flags, nested: false) } == "[true,false]")
    }

    @Test func aTensorWithoutElementsIsShort() throws {
        let empty = try tensor(.fp32, [1 << 40, 0, 1 << 10], [Float]())
        #expect(written { $0.tensorData(empty, nested: true) } == "[]")
        #expect(written { $0.tensorData(empty, nested: false) } == "[]")
    }

    @Test(arguments: [1, 511, 512, 513, 1024, 5000])
    func rowsOfAnyLength(_ count: Int) throws {
        let values = (0..<count).map { Float($0) * 0.37 - 100 }
        for nested in [false, true] {
            let row = try tensor(.fp32, [count], values)
            let text = written { $0.tensorData(row, nested: nested) }
            #expect(try decode(text).values(Float.self) == values)
        }
    }

    @Test func theStandardLibraryReadsWhatIsWritten() throws {
        let values: [Float] = [0, -0.0, .leastNonzeroMagnitude, 3.4028235e38, 1e16, 123456.78, 1e-5, -1.5e-7]
        let matrix = try tensor(.fp32, [2, 4], values)
        let text = written { $0.tensorData(matrix, nested: true) }
        let rows = try JSONDecoder().decode([[Float]].self, from: Data(text.utf8))
        #expect(rows.flatMap { $0 } == values)
    }
}
