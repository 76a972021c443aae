import Foundation
import TensorFormats
import Tensors
import Testing

/// Writing the shortest decimals, held against the C library, the standard library, and brute force.
@Suite struct ShortestDecimalTests {
    private func written(_ tensor: Tensor) throws -> [UInt8] {
        var writer = JSONWriter()
        try writer.tensorData(tensor, nested: false)
        return bytes(of: writer.finish())
    }

    /// How many of the numbers in the array `text` the C library's `parse` does not read as the bit patterns.
    private func differences<Pattern: Equatable>(
        _ text: [UInt8],
        _ patterns: [Pattern],
        _ parse: (UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Pattern
    ) -> Int {
        var differences = 0
        (text + [0]).withUnsafeBytes { bytes in
            guard var next = bytes.bindMemory(to: CChar.self).baseAddress else { return }
            for pattern in patterns {
                var end: UnsafeMutablePointer<CChar>?
                differences += parse(next + 1, &end) == pattern ? 0 : 1
                next = end.map { UnsafePointer($0) } ?? next
            }
            differences += next.pointee == UInt8(ascii: "]") ? 0 : 1
        }
        return differences
    }

    /// The bit pattern of a finite number: the given one, with another exponent where that is necessary.
    private func finite(_ pattern: UInt32) -> UInt32 {
        Float(bitPattern: pattern).isFinite ? pattern : pattern ^ 0x4000_0000
    }

    private func finite(_ pattern: UInt64) -> UInt64 {
        Double(bitPattern: pattern).isFinite ? pattern : pattern ^ 0x4000_0000_0000_0000
    }

    @Test func fiveMillionFloatsReadBackInTheCLibraryAndHere() throws {
        var generator = SeededGenerator(11)
        for _ in 0..<20 {
            let patterns = (0..<250_000).map { _ in self.finite(UInt32(truncatingIfNeeded: generator.next())) }
            let text = try self.written(try tensor(.fp32, [patterns.count], patterns))
            #expect(self.differences(text, patterns) { strtof($0, $1).bitPattern } == 0)
            #expect(try decode(text, as: .fp32).values(UInt32.self) == patterns)
        }
    }

    @Test func doublesReadBackInTheCLibraryAndHere() throws {
        var generator = SeededGenerator(12)
        for _ in 0..<10 {
            let patterns = (0..<250_000).map { _ in self.finite(generator.next()) }
            let text = try self.written(try tensor(.fp64, [patterns.count], patterns))
            #expect(self.differences(text, patterns) { strtod($0, $1).bitPattern } == 0)
            #expect(try decode(text, as: .fp64).values(UInt64.self) == patterns)
        }
    }

    /// The significant digits of a decimal and the power of ten of the last of them.
    private func significant(_ decimal: some StringProtocol) -> (digits: String, exponent: Int) {
        let parts = decimal.lowercased().split(separator: "e")
        let mantissa = parts[0].drop { $0 == "-" }
        let fraction = mantissa.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first ?? ""
        var digits = mantissa.filter { $0 != "." }.drop { $0 == "0" }
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - fraction.count
        while digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        return (String(digits), exponent)
    }

    @Test func floatsHaveTheDigitsOfTheStandardLibrary() throws {
        var generator = SeededGenerator(13)
        // Powers of two are the ones whose neighbours are at different distances.
        let patterns =
            (0..<100_000).map { _ in UInt32.random(in: 1..<0x7f80_0000, using: &generator) }
            + (1..<255).map { $0 << 23 } + (1..<255).map { $0 << 23 + 1 } + (0..<1000).map { $0 + 1 }
        let text = String(decoding: try self.written(try tensor(.fp32, [patterns.count], patterns)), as: UTF8.self)
        for (number, pattern) in zip(text.dropFirst().dropLast().split(separator: ","), patterns) {
            let found = self.significant(number)
            let expected = self.significant(Float(bitPattern: pattern).description)
            #expect(found == expected, "\(number) for \(Float(bitPattern: pattern))")
        }
    }

    /// Whether a decimal of fewer digits than `text` reads back to `pattern`, tried one by one.
    private func hasShorter(_ value: Double, than count: Int, reads: (String) -> Bool) -> Bool {
        guard count > 1 else { return false }
        // All decimals of one digit less near the value: the nearest, and those around it.
        let nearest = self.significant(String(format: "%.\(count - 2)e", value))
        let exponent = Int(floor(log10(value))) - (count - 2)
        guard let digits = Int(nearest.digits) else { return false }
        let scaled = digits * Int(pow(10, Double(max(0, nearest.exponent - exponent))))
        return (-3...3).contains { scaled + $0 > 0 && reads("\(scaled + $0)e\(exponent)") }
    }

    private func sixteenBits(_ dataType: DataType, infinity: UInt16, _ value: (UInt16) -> Double) throws {
        let patterns = Array(0..<infinity) + (0..<infinity).map { $0 | 0x8000 }
        let text = try self.written(try tensor(dataType, [patterns.count], patterns))
        #expect(try decode(text, as: dataType).values(UInt16.self) == patterns)
        let numbers = String(decoding: text, as: UTF8.self).dropFirst().dropLast().split(separator: ",")
        var candidates: [String] = []
        var owners: [UInt16] = []
        for pattern in 1..<infinity {
            let count = self.significant(numbers[Int(pattern)]).digits.count
            _ = self.hasShorter(value(pattern), than: count) { candidate in
                candidates.append(candidate)
                owners.append(pattern)
                return false
            }
        }
        let read = try decode("[\(candidates.joined(separator: ","))]", as: dataType).values(UInt16.self)
        let shorter = zip(zip(candidates, owners), read).filter { $0.0.1 == $0.1 }.map(\.0)
        #expect(candidates.count > 100_000)
        #expect(shorter.isEmpty, "\(shorter.prefix(5))")
    }

    @Test func allHalfPrecisionNumbersAreShortest() throws {
        try self.sixteenBits(.fp16, infinity: 0x7c00) { Double(Float16(bitPattern: $0)) }
    }

    @Test func allBrainFloatsAreShortest() throws {
        try self.sixteenBits(.bf16, infinity: 0x7f80) { Double(Float(BFloat16(bitPattern: $0))) }
    }

    @Test(arguments: [
        (Float(0), "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (100, "100"), (123456, "123456"),
        (0.4999975, "0.4999975"), (1.4999925, "1.4999925"), (0.99999875, "0.99999875"), (16_777_216, "16777216"),
        (1e-5, "0.00001"), (1.5e-7, "1.5e-7"), (1e14, "100000000000000"), (1e15, "1e15"),
        (3.4028235e38, "3.4028235e38"),
        (.leastNonzeroMagnitude, "1e-45"), (.nan, "\"NaN\""), (-.nan, "\"NaN\""), (.infinity, "\"Infinity\""),
        (-.infinity, "\"-Infinity\""),
    ])
    func layout(_ value: Float, _ text: String) throws {
        #expect(String(decoding: try self.written(try tensor(.fp32, [1], [value])), as: UTF8.self) == "[\(text)]")
    }
}
