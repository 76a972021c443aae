import ArgumentParser
import NormalizationService
import Testing

@testable import normserve

@Suite struct KeyOptionsTests {
    @Test func withoutFilesThereAreNoKeys() throws {
        let options = try KeyOptions.parse([])
        #expect(!options.areConfigured)
        #expect(options.metricsAccess == .apiKey)
        let keys = try options.load()
        #expect(keys.api == nil && keys.admin == nil)
    }

    @Test func filesAreLoaded() throws {
        try TemporaryFile.with("k1\nk2\n") { (api) throws in
            try TemporaryFile.with("k3") { (admin) throws in
                let options = try KeyOptions.parse(["--api-key-file", api, "--admin-key-file", admin])
                #expect(options.areConfigured)
                let keys = try options.load()
                #expect(keys.api?.count == 2)
                #expect(keys.admin?.count == 1)
            }
        }
    }

    @Test(arguments: ["open", "api-key", "off"])
    func accessToTheMetrics(word: String) throws {
        #expect(try KeyOptions.parse(["--metrics-access", word]).metricsAccess.rawValue == word)
    }

    @Test(arguments: [
        ["--metrics-access", "admin-key"], ["--metrics-access", "admin-key", "--api-key-file", "x"],
        ["--metrics-access", "nobody"], ["--api-key-file", ""], ["--admin-key-file", ""], ["--api-key-file"],
    ])
    func whatCannotBeIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try KeyOptions.parse(arguments) }
        let error = #expect(throws: (any Error).self) { try NormServe.parseAsRoot(["serve"] + arguments) }
        #expect(error.map { NormServe.exitCode(for: $0) } == .validationFailure)
    }

    @Test func theAdministratorsMetricsNeedTheFileOnly() throws {
        let arguments = ["--metrics-access", "admin-key", "--admin-key-file", "x"]
        #expect(try KeyOptions.parse(arguments).metricsAccess == .adminKey)
    }

    @Test(arguments: ["--api-key-file", "--admin-key-file"])
    func aBadFileIsNamedWithItsLineAndWithoutItsContent(option: String) throws {
        try TemporaryFile.with("# comment\nk1\nsecret secret\n") { (path) throws in
            let options = try KeyOptions.parse([option, path])
            let error = #expect(throws: StartUpError.self) { try options.load() }
            #expect(error?.description.hasPrefix("\(option) \(path): line 3 is not a key") == true)
            #expect(error?.description.contains("secret") == false)
        }
        try TemporaryFile.with("# none\n") { (path) throws in
            let error = #expect(throws: StartUpError.self) { try KeyOptions.parse([option, path]).load() }
            #expect(error?.description == "\(option) \(path): holds no key; it must have one a line")
        }
        try TemporaryFile.with("k1", mode: 0o644) { (path) throws in
            let error = #expect(throws: StartUpError.self) { try KeyOptions.parse([option, path]).load() }
            #expect(error?.description.hasPrefix("\(option) \(path) is open to others: its mode is 0644;") == true)
        }
        let error = #expect(throws: StartUpError.self) { try KeyOptions.parse([option, "/no/file"]).load() }
        #expect(error?.description == "\(option) /no/file cannot be read: No such file or directory")
        #expect(error.map { NormServe.exitCode(for: $0) } == .failure)
    }
}
