import Testing

@testable import normserve

@Suite struct TimeLimitTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("2m", .seconds(120)), ("1440m", .seconds(86400)),
    ])
    func durations(text: String, duration: Duration) {
        #expect(TimeLimit(text)?.duration == duration)
        #expect(TimeLimit(text)?.description == text)
    }

    @Test(arguments: ["", "10", "s", "-1s", "1.5s", "1h", "10 s", "9223372036854775807m", "1441m", "0s", "0ms"])
    func whatIsNoDuration(text: String) {
        #expect(TimeLimit(text) == nil)
    }
}
