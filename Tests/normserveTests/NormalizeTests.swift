import ArgumentParser
import NormalizationService
import Testing

@testable import normserve

@Suite struct NormalizeTests {
    @Test(arguments: [
        ("type=lp_norm&p=1", "type=lp_norm&p=1"), ("spectral_norm", "type=spectral_norm"), ("layer=bn1", "layer=bn1"),
    ])
    func aQueryOrATypeAlone(text: String, query: String) throws {
        guard case .query(let found) = try Normalize.layer(text) else {
            Issue.record("it is a query")
            return
        }
        #expect(found == query)
    }

    @Test(arguments: [#"{"type": "lp_norm"}"#, " \n{}"])
    func anObjectIsJSON(text: String) throws {
        guard case .json(let buffer, let range) = try Normalize.layer(text) else {
            Issue.record("it is JSON")
            return
        }
        #expect(withExtendedLifetime(buffer) { Array(buffer[range]) } == Array(text.utf8))
    }

    @Test func aFileThatIsNotThereIsSaidToBe() {
        #expect {
            try Normalize.layer("@/nowhere/layer.json")
        } throws: { error in
            (error as? FileFailure)?.exitCode == 66
        }
    }

    @Test(arguments: [
        ["in.npy", "-o", "out.npy"], ["in.npy", "--layer", "a=b", "-o", "out.txt"],
        ["in.npy", "--layer", "a=b", "-o", "out.npy", "--threads", "1025"],
    ])
    func badUsage(arguments: [String]) {
        #expect { try NormServe.parseAsRoot(["normalize"] + arguments) } throws: { error in
            NormServe.exitCode(for: error) == .validationFailure
        }
    }
}
