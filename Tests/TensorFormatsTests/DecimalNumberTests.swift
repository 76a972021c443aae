import Foundation
import TensorFormats
import Tensors
import Testing

/// Reading decimals, held against the C library, which rounds correctly.
@Suite struct DecimalNumberTests {
    /// A decimal of 1 to 40 digits whose value is mostly within the range of a type with that largest exponent.
    private func randomDecimal(_ generator: inout SeededGenerator, largestExponent: Int) -> [UInt8] {
        var text: [UInt8] = []
        if generator.next() & 1 == 0 {
            text.append(UInt8(ascii: "-"))
        }
        let digitCount = Int.random(in: 1...40, using: &generator)
        let wholeCount = Int.random(in: 0...digitCount, using: &generator)
        if wholeCount == 0 {
            text.append(UInt8(ascii: "0"))
        }
        for index in 0..<digitCount {
            if index == wholeCount {
                text.append(UInt8(ascii: "."))
            }
            let isFirst = index == 0 && wholeCount > 1
            text.append(UInt8.random(in: UInt8(ascii: isFirst ? "1" : "0")...UInt8(ascii: "9"), using: &generator))
        }
        switch generator.next() & 3 {
        case 0: break
        case 1: text += "e\(Int.random(in: -12...12, using: &generator))".utf8
        default: text += "E\(Int.random(in: -largestExponent - 60...largestExponent, using: &generator))".utf8
        }
        return text
    }

    /// Texts of 2^16 random decimals each, as JSON arrays.
    private func arrays(
        _ count: Int,
        _ generator: inout SeededGenerator,
        largestExponent: Int
    ) -> [[UInt8]] {
        (0..<count).map { _ in
            var text = [UInt8(ascii: "[")]
            for index in 0..<1 << 16 {
                if index > 0 {
                    text.append(UInt8(ascii: ","))
                }
                text += self.randomDecimal(&generator, largestExponent: largestExponent)
            }
            return text + [UInt8(ascii: "]")]
        }
    }

    /// The numbers of the array as `parse`, a function of the C library, reads them.
    private func reference<Element>(
        _ text: [UInt8],
        _ parse: (UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Element
    ) -> [Element] {
        var numbers: [Element] = []
        (text + [0]).withUnsafeBytes { bytes in
            guard var next = bytes.bindMemory(to: CChar.self).baseAddress else { return }
            while next.pointee != UInt8(ascii: "]") {
                var end: UnsafeMutablePointer<CChar>?
                numbers.append(parse(next + 1, &end))
                guard let end, end > next + 1 else { return }
                next = UnsafePointer(end)
            }
        }
        return numbers
    }

    @Test func randomFloatsReadAsTheCLibraryReadsThem() throws {
        var generator = SeededGenerator(1)
        for text in self.arrays(16, &generator, largestExponent: 38) {
            let expected = self.reference(text) { strtof($0, $1) }
            let found = try decode(text, as: .fp32).values(Float.self)
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
        }
    }

    @Test func randomDoublesReadAsTheCLibraryReadsThem() throws {
        var generator = SeededGenerator(2)
        for text in self.arrays(16, &generator, largestExponent: 308) {
            let expected = self.reference(text) { strtod($0, $1) }
            let found = try decode(text, as: .fp64).values(Double.self)
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
        }
    }

    @Test func floatsWidenedToDoublesReadBack() throws {
        var generator = SeededGenerator(3)
        let values = (0..<500_000).map { _ in Float(bitPattern: UInt32.random(in: 0..<0x7f80_0000, using: &generator)) }
        let text = "[" + values.map { "\(Double($0))" }.joined(separator: ", ") + "]"
        #expect(try decode(text, as: .fp32).values(Float.self) == values)
    }

    @Test func decimalsNextToTheMiddleOfTwoFloatsRoundOnce() throws {
        var generator = SeededGenerator(4)
        var texts: [String] = []
        var expected: [Float] = []
        for _ in 0..<20_000 {
            let lower = Float(bitPattern: UInt32.random(in: 0..<0x7f7f_ffff, using: &generator))
            let middle = (Double(lower) + Double(lower.nextUp)) / 2
            let even = lower.bitPattern & 1 == 0 ? lower : lower.nextUp
            let exact = String(format: "%.1100f", middle)
            texts += [exact, exact + "0001", self.decremented(exact)]
            expected += [even, lower.nextUp, lower]
        }
        let found = try decode("[" + texts.joined(separator: ",") + "]", as: .fp32).values(Float.self)
        #expect(found == expected)
    }

    @Test func decimalsNextToTheMiddleOfTwoDoublesRoundOnce() throws {
        var generator = SeededGenerator(5)
        var texts: [String] = []
        for _ in 0..<20_000 {
            // 2^53 and a few more bits: an odd integer there lies in the middle of two doubles.
            let middle = UInt64.random(in: 1 << 53..<1 << 54, using: &generator) | 1
            let scale = Int.random(in: 1...25, using: &generator)
            let zeros = String(repeating: "0", count: scale)
            for number in [middle - 1, middle, middle + 1] {
                texts += ["\(number)", "\(number).\(zeros)", "\(number).\(zeros)1", "\(number)\(zeros)e-\(scale)"]
            }
        }
        let text = Array("[\(texts.joined(separator: ","))]".utf8)
        let expected = self.reference(text) { strtod($0, $1) }
        #expect(try decode(text, as: .fp64).values(Double.self) == expected)
    }

    /// The positive decimal less a unit in its last place but zeros: a little less.
    private func decremented(_ decimal: String) -> String {
        var digits = Array(decimal.utf8)
        for index in digits.indices.reversed() where digits[index] != UInt8(ascii: ".") {
            if digits[index] == UInt8(ascii: "0") {
                digits[index] = UInt8(ascii: "9")
            } else {
                digits[index] -= 1
                break
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }

    @Test(arguments: [
        "0", "-0", "0.0", "-0.0e5", "0e400", "0.1e-400", "-0.1e-400", "1e400", "-1e400", "1e99999999999999999999",
        "1e-99999999999999999999", "0e99999999999999999999", "4.9e-324", "2.4703282292062327e-324",
        "2.4703282292062328e-324", "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308",
        "1.7976931348623158e308", "1.7976931348623159e308", "179769313486231580793e289", "3.4028235e38",
        "3.4028235677973366e38", "3.4028235677973365e38", "3.4028236e38", "1.4e-45", "7.0064923216240853e-46",
        "7.0064923216240854e-46", "1.1754943508222875e-38", "9007199254740993", "9007199254740992.999999",
        "9007199254740993.0000001", "16777217", "16777217.0000001", "16777216.9999999", "16777219", "33554435",
        "18446744073709551615", "18446744073709551616", "18446744073709551617", "9999999999999999999",
        "99999999999999999999", "10000000000000000000", "0.30000001192092896", "0.1", "0.10000000149011612",
        "123456789012345678901234567890", "0.000000000000000000000000000000000000000000000012345678901234567890123",
        "1e22", "1e23", "8.5e22", "1.0e-22", "1e-23", "6.02214076e23", "7.2057594037927933e16", "1E+5", "1e-0",
        "1090544144181609348671888949248", "1090544144181609348835077142190", "2.00000000000000011102230246251565",
        "1.00000005960464477539062499", "1.000000059604644775390625", "1.00000005960464477539062501",
    ])
    func hardCase(_ text: String) throws {
        let float = try #require(decode("[\(text)]", as: .fp32).values(Float.self).first)
        let double = try #require(decode("[\(text)]", as: .fp64).values(Double.self).first)
        #expect(float.bitPattern == strtof(text, nil).bitPattern)
        #expect(double.bitPattern == strtod(text, nil).bitPattern)
    }

    @Test func hundredsOfDigits() throws {
        let digits = String(repeating: "1234567890", count: 80)
        let zeros = String(repeating: "0", count: 800)
        for text in [
            digits, "0.\(digits)", "0.\(zeros)\(digits)e800", "1\(zeros)e-800", "1.\(zeros)1", "0.\(zeros)1",
            "\(digits)e-780", "9\(zeros)", "0.5\(zeros)", "5\(zeros)e-801",
        ] {
            let float = try #require(decode("[\(text)]", as: .fp32).values(Float.self).first)
            let double = try #require(decode("[\(text)]", as: .fp64).values(Double.self).first)
            #expect(float.bitPattern == strtof(text, nil).bitPattern)
            #expect(double.bitPattern == strtod(text, nil).bitPattern)
        }
    }

    /// Every number of a 16-bit format, its neighbour, the middle between them, and a trifle to either side of it.
    private func sixteenBits(_ dataType: DataType, infinity: UInt16, _ value: (UInt16) -> Double) throws {
        var texts: [String] = []
        var expected: [UInt16] = []
        let tail = String(repeating: "0", count: 30)
        for pattern in 0..<infinity {
            let next = value(pattern) + (value(pattern + 1) - value(pattern))
            let isLast = pattern + 1 == infinity
            // Beyond the largest number the next power of two would come.
            let upper = isLast ? 2 * value(pattern) - value(pattern - 1) : next
            let middle = (value(pattern) + upper) / 2
            let exact = String(format: "%.140f", middle)
            texts += [String(format: "%.140f", value(pattern)), exact, exact + tail + "1", self.decremented(exact)]
            expected += [pattern, pattern + pattern & 1, pattern + 1, pattern]
        }
        let positive = try decode("[\(texts.joined(separator: ","))]", as: dataType).values(UInt16.self)
        #expect(positive == expected)
        let negative = try decode("[-\(texts.joined(separator: ",-"))]", as: dataType).values(UInt16.self)
        #expect(negative == expected.map { $0 | 0x8000 })
    }

    @Test func allHalfPrecisionNumbersAndTheirMiddles() throws {
        try self.sixteenBits(.fp16, infinity: 0x7c00) { Double(Float16(bitPattern: $0)) }
    }

    @Test func allBrainFloatsAndTheirMiddles() throws {
        try self.sixteenBits(.bf16, infinity: 0x7f80) { Double(Float(BFloat16(bitPattern: $0))) }
    }

    @Test func randomDecimalsRoundToSixteenBitsAsTheyDoThroughMoreBits() throws {
        var generator = SeededGenerator(6)
        for text in self.arrays(2, &generator, largestExponent: 30) {
            // A double that was rounded from the decimal narrows rightly unless it is a middle: those are tested above.
            let doubles = self.reference(text) { strtod($0, $1) }
            let half = try decode(text, as: .fp16).values(Float16.self)
            let brain = try decode(text, as: .bf16).values(UInt16.self)
            var differences = 0
            for (index, double) in doubles.enumerated() {
                differences += half[index] == Float16(double) ? 0 : 1
                // Rounding to odd keeps the second rounding from seeing a middle that is none.
                var float = Float(double)
                if Double(float) != double, float.bitPattern & 1 == 0 {
                    float =
                        Double(float).magnitude < double.magnitude
                        ? Float(bitPattern: float.bitPattern + 1) : Float(bitPattern: float.bitPattern &- 1)
                }
                if float.magnitude > 0, float.isFinite {
                    differences += brain[index] == BFloat16(float).bitPattern ? 0 : 1
                }
            }
            #expect(differences == 0)
        }
    }

    @Test func nonFiniteTokens() throws {
        let text = #"[NaN, Infinity, -Infinity, "NaN", "Infinity", "-Infinity"]"#
        for dataType in [DataType.fp16, .bf16, .fp32, .fp64] {
            let tensor = try decode(text, as: dataType)
            let values: [Double] =
                switch dataType {
                case .fp16: tensor.values(Float16.self).map { Double($0) }
                case .bf16: tensor.values(BFloat16.self).map { Double(Float($0)) }
                case .fp32: tensor.values(Float.self).map { Double($0) }
                default: tensor.values(Double.self)
                }
            #expect(values.map(\.isNaN) == [true, false, false, true, false, false])
            #expect([values[1], values[2], values[4], values[5]] == [.infinity, -.infinity, .infinity, -.infinity])
        }
    }
}
