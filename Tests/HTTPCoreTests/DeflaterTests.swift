import Testing

@testable import HTTPCore

@Suite("Whether and how content is coded")
struct DeflaterTests {
    private static func strategy(_ content: [UInt8], level: Int = 1) -> Deflater.Strategy? {
        content.withUnsafeBytes { Deflater.strategy(for: $0, level: level) }
    }

    private static let text = Array(String(repeating: "the mean and the variance of each channel, ", count: 200).utf8)

    @Test("Noise is not, text is for its strings, the digits of noise for theirs", arguments: [1_024, 4_096, 100_000])
    func content(count: Int) {
        #expect(Self.strategy(.noise(count)) == nil)
        #expect(Self.strategy([UInt8](repeating: 0, count: count)) == .strings)
        #expect(Self.strategy(Array(Self.text.prefix(count))) == .strings)
        #expect(Self.strategy(.digits(count)) == .frequencies)
        // Who asks for more work gets it.
        #expect(Self.strategy(.digits(count), level: 2) == .strings)
        #expect(Self.strategy(.noise(count), level: 9) == nil)
    }

    @Test("The middle decides")
    func middle() {
        #expect(Self.strategy(.noise(50_000) + Self.text.prefix(8_192) + .noise(50_000)) == .strings)
        #expect(Self.strategy(Self.text + .noise(8_192) + Self.text) == nil)
    }

    @Test("What there is hardly any of is not coded, nor does it do harm", arguments: 0..<10)
    func tiny(count: Int) {
        #expect(Self.strategy([UInt8](repeating: 0, count: count)) == (count < 8 ? nil : .strings))
    }

    @Test("Frequencies alone make digits shorter than strings do, in any coding")
    func frequencies() throws {
        for coding in [ContentCoding.gzip, .deflate] {
            let strings = try coded(.digits(100_000), by: Deflater.Method(coding: coding))
            let frequencies = try coded(.digits(100_000), by: Deflater.Method(coding: coding, strategy: .frequencies))
            #expect(frequencies.count < strings.count)
            #expect(try decoded(frequencies, coding) == .digits(100_000))
        }
    }
}
