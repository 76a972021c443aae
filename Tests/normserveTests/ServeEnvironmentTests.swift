import ArgumentParser
import Testing

@testable import normserve

@Suite struct ServeEnvironmentTests {
    private let environment = ServeEnvironment([
        "NORMSERVE_PORT": "9000", "NORMSERVE_MAX_BODY_BYTES": "1MiB", "HOME": "/",
    ])

    @Test func theListIsThatOfTheCommand() {
        let words = Serve.helpMessage(columns: 400).split(whereSeparator: \.isWhitespace)
        let options = Set(words.filter { $0.hasPrefix("--") }.map { $0.dropFirst(2) })
        let named = Set(ServeEnvironment.optionNames.map { Substring($0) })
        #expect(options.subtracting(["help", "version"]) == named)
    }

    @Test(arguments: [[], ["serve"], ["--host", "::1"], ["serve", "--host", "::1"]])
    func serveTakesWhatTheEnvironmentSays(arguments: [String]) throws {
        let completed = self.environment.completing(arguments)
        let serve = try #require(try NormServe.parseAsRoot(completed) as? Serve)
        #expect(serve.port == 9000)
        #expect(serve.limits.maxBodyBytes.bytes == 1 << 20)
        #expect(serve.host == (arguments.contains("::1") ? "::1" : "127.0.0.1"))
    }

    @Test func theCommandLineHasTheLastWord() throws {
        let completed = self.environment.completing(["--port", "7", "--max-body-bytes=2MiB"])
        let serve = try #require(try NormServe.parseAsRoot(completed) as? Serve)
        #expect(serve.port == 7)
        #expect(serve.limits.maxBodyBytes.bytes == 2 << 20)
    }

    @Test(arguments: [["health"], ["--version"], ["--help"], ["help", "serve"]])
    func otherCommandsStayAsTheyAre(arguments: [String]) {
        #expect(self.environment.completing(arguments) == arguments)
    }
}
