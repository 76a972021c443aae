import Foundation
import HTTPCore
import Testing

@testable import normserve

@Suite struct LimitOptionsTests {
    @Test func theHelpNamesTheDefaults() throws {
        let help = Serve.helpMessage(columns: 1000)
        let limits = try LimitOptions.parse([])
        let timeouts = try TimeoutOptions.parse([])
        let settings = limits.settings.merging(timeouts.settings) { $1 }
        for (name, value) in settings {
            let option = name.replacing("_", with: "-")
            let start = try #require(help.firstRange(of: "\n  --\(option) "), "\(option)").upperBound
            let end = help[start...].firstRange(of: "\n  -")?.lowerBound ?? help.endIndex
            // Numbers get their defaults from the parser.
            let isNumber = Int("\(value)") != nil
            let text = isNumber ? "(default: \(value))" : "Default: \(value)."
            #expect(help[start..<end].contains(text), "\(option)")
        }
    }

    @Test func everyLimitHasTheNameOfItsOption() {
        for limit in Limit.allCases {
            #expect(ServeEnvironment.optionNames.contains(limit.rawValue))
        }
    }

    @Test func theDefaultsAreThoseOfTheServer() throws {
        #expect("\(try LimitOptions.parse([]).httpLimits)" == "\(HTTPLimits())")
        var timeouts = HTTPTimeouts()
        timeouts.drainIdle = try TimeoutOptions.parse([]).httpTimeouts.drainIdle
        #expect("\(try TimeoutOptions.parse([]).httpTimeouts)" == "\(timeouts)")
    }

    @Test func eachOptionSetsItsLimit() throws {
        let limits = try LimitOptions.parse([
            "--max-body-bytes", "101", "--max-request-line-bytes", "102", "--max-head-bytes", "1030",
            "--max-fields", "103", "--max-trailer-bytes", "104", "--max-trailer-fields", "105",
            "--max-chunk-extension-bytes", "106", "--max-connections", "107", "--max-connections-per-address", "108",
            "--max-requests-per-connection", "109", "--max-elements", "110",
        ])
        let http = limits.httpLimits
        #expect(http.maxBodyBytes == 101)
        #expect(http.maxRequestLineBytes == 102)
        #expect(http.maxHeadBytes == 1030)
        #expect(http.maxFieldCount == 103)
        #expect(http.maxTrailerBytes == 104)
        #expect(http.maxTrailerFieldCount == 105)
        #expect(http.maxChunkExtensionBytes == 106)
        #expect(http.maxConnections == 107)
        #expect(http.maxConnectionsPerAddress == 108)
        #expect(http.maxRequestsPerConnection == 109)
        #expect(limits.maxElements == 110)
    }

    @Test func eachOptionSetsItsTimeout() throws {
        let timeouts = try TimeoutOptions.parse([
            "--handshake-timeout", "1s", "--head-timeout", "2s", "--body-grace", "3s", "--min-body-rate", "4",
            "--idle-timeout", "5s", "--write-timeout", "6s", "--linger-timeout", "7s", "--drain-timeout", "8s",
        ]).httpTimeouts
        #expect(timeouts.handshake == .seconds(1))
        #expect(timeouts.head == .seconds(2))
        #expect(timeouts.bodyGrace == .seconds(3))
        #expect(timeouts.minimumBodyRate == 4)
        #expect(timeouts.idle == .seconds(5))
        #expect(timeouts.writeStall == .seconds(6))
        #expect(timeouts.linger == .seconds(7))
        #expect(timeouts.drain == .seconds(8))
    }

    @Test(arguments: [
        ["--max-json-depth", "0"], ["--max-json-depth", "513"], ["--max-fields", "0"], ["--max-connections", "0"],
        ["--max-head-bytes", "1023"], ["--max-body-bytes", "2GiB"], ["--max-body-bytes", "0"], ["--max-elements", "0"],
        ["--max-request-line-bytes", "63"], ["--max-trailer-bytes", "1"], ["--max-trailer-fields", "10001"],
        ["--max-trailer-fields=-1"], ["--max-connections-per-address=-1"], ["--max-requests-per-connection=-1"],
        ["--max-elements", "1MiB"], ["--max-chunk-extension-bytes=-1"],
    ])
    func impossibleLimitsAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try LimitOptions.parse(arguments) }
    }

    @Test(arguments: [
        ["--max-chunk-extension-bytes", "0"], ["--max-trailer-fields", "0"], ["--max-trailer-bytes", "2"],
        ["--max-connections-per-address", "0"], ["--max-requests-per-connection", "0"],
    ])
    func theLeastLimitsAreTaken(arguments: [String]) throws {
        _ = try LimitOptions.parse(arguments)
    }
}
