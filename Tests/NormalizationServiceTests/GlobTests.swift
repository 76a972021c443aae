import Testing

@testable import NormalizationService

@Suite struct GlobTests {
    @Test(
        arguments: [
            ("", ""), ("", "*"), ("", "**"), ("abc", "abc"), ("abc", "*"), ("abc", "a*"), ("abc", "*c"), ("abc", "a*c"),
            ("abc", "?b?"), ("abc", "*?"), ("abc", "***"), ("a.b.c", "a.*.c"), ("aab", "*ab"), ("abab", "*ab"),
            ("a*b", "a*b"), ("[x]", "[x]"), ("mississippi", "*iss*pi"),
        ]
    )
    func matches(text: String, pattern: String) {
        #expect(Glob.matches(text, pattern))
    }

    @Test(
        arguments: [
            ("", "?"), ("", "a"), ("a", ""), ("abc", "ab"), ("abc", "bc"), ("abc", "????"), ("abc", "a*d"),
            ("abc", "A*"),
            ("abc", "*ab"), ("x", "[x]"), ("mississippi", "*iss*px"),
        ]
    )
    func doesNotMatch(text: String, pattern: String) {
        #expect(!Glob.matches(text, pattern))
    }

    @Test func manyStarsTakeNoTime() {
        let text = String(repeating: "a", count: 2000)
        #expect(!Glob.matches(text, String(repeating: "a*", count: 1000) + "b"))
    }
}
