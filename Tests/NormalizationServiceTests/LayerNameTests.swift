import Testing

@testable import NormalizationService

@Suite struct LayerNameTests {
    @Test(
        arguments: [
            "a", "0", "-", "_", "bn1", "encoder.layer.0.attention.output.LayerNorm", "a..b", "a.", "--x",
            String(repeating: "n", count: 128),
        ]
    )
    func isAName(text: String) {
        #expect(LayerName(text)?.text == text)
    }

    @Test(
        arguments: [
            "", ".", "..", ".a", "a/b", "a b", "a\0", "a\n", "ä", "a\u{301}", "a%", "a+b", "a:b", "~a", "a\\b", "K",
            String(repeating: "n", count: 129),
        ]
    )
    func isNoName(text: String) {
        // The Kelvin sign is no K.
        #expect(LayerName(text.replacing("K", with: "\u{212a}")) == nil)
    }
}

@Suite struct LayerVersionTests {
    @Test(arguments: [("1", 1), ("10", 10), ("999999999999999", 999_999_999_999_999)])
    func isAVersion(text: String, number: Int) {
        #expect(LayerVersion(text)?.number == number)
        #expect(LayerVersion(number: number).description == text)
    }

    @Test(arguments: [
        "", "0", "01", "-1", "+1", "1.0", "1 ", " 1", "1_0", "x", "١", "1000000000000000", "9999999999999999999",
    ])
    func isNoVersion(text: String) {
        #expect(LayerVersion(text) == nil)
    }
}
