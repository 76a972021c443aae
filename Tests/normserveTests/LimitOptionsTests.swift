import Foundation
import Testing

@testable import normserve

@Suite struct LimitOptionsTests {
    @Test func theHelpNamesTheDefaults() throws {
        let help = Serve.helpMessage(columns: 1000)
        let limits = try LimitOptions.parse([])
        let defaults: [(option: String, value: String)] = [
            ("max-body-bytes", "\(limits.maxBodyBytes)"), ("max-head-bytes", "\(limits.maxHeadBytes)"),
            ("max-in-flight-bytes", "\(limits.maxInFlightBytes)"), ("head-timeout", "\(limits.headTimeout)"),
            ("body-grace", "\(limits.bodyGrace)"), ("min-body-rate", "\(limits.minBodyRate)"),
            ("idle-timeout", "\(limits.idleTimeout)"), ("write-timeout", "\(limits.writeTimeout)"),
            ("drain-timeout", "\(limits.drainTimeout)"),
        ]
        for (option, value) in defaults {
            let description = try #require(help.firstRange(of: "--\(option) ")).upperBound
            #expect(help[description...].prefix(400).contains("Default: \(value)."), "\(option)")
        }
    }

    @Test(arguments: [
        ["--max-json-depth", "0"], ["--max-json-depth", "513"], ["--max-fields", "0"], ["--max-connections", "0"],
        ["--max-head-bytes", "1023"], ["--max-body-bytes", "2GiB"], ["--max-body-bytes", "0"],
    ])
    func impossibleLimitsAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try LimitOptions.parse(arguments) }
    }
}
