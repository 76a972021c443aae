import HTTPCore
import Testing

@testable import NormalizationService

@Suite struct QueryParametersTests {
    private func items(_ target: String) throws -> [String] {
        try QueryParameters(target: target).items.map { "\($0.name)=\($0.value)" }
    }

    private func code(_ target: String) -> String? {
        do {
            _ = try QueryParameters(target: target)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        arguments: [
            ("/x", []), ("/x?", []), ("/x?&&", []), ("/x?a=1", ["a=1"]), ("/x?a=1&b=2&", ["a=1", "b=2"]),
            ("/x?a", ["a="]), ("/x?a=", ["a="]), ("/x?a=b=c", ["a=b=c"]), ("/x?a=b?c", ["a=b?c"]),
            ("/x?a=%31%2C%32&%62=%C3%A9", ["a=1,2", "b=é"]), ("/x?a=1e+5", ["a=1e+5"]), ("/x?A=1&a=2", ["A=1", "a=2"]),
        ] as [(String, [String])]
    )
    func parametersAreDecoded(target: String, expected: [String]) throws {
        #expect(try self.items(target) == expected)
    }

    @Test(arguments: ["%", "%4", "%4g", "%g4", "%ff", "%c3", "%ed%a0%80", "%-1", "%+1"])
    func escapesAreThoseOfUTF8(text: String) {
        #expect(self.code("/x?a=\(text)") == "invalid_query")
        #expect(self.code("/x?\(text)=a") == "invalid_query")
    }

    @Test(arguments: ["a=1&a=2", "a&a", "a=1&%61=2"])
    func namesAreUnique(query: String) {
        #expect(self.code("/x?\(query)") == "invalid_query")
    }

    @Test(arguments: ["%00", "a%20b", "%C3%A9", "a-b", "a.b", "a[]", String(repeating: "a", count: 65)])
    func namesAreWords(name: String) {
        #expect(self.code("/x?\(name)=1") == "unknown_member")
    }

    @Test func takingAParameterOutLeavesTheOthers() throws {
        var parameters = try QueryParameters(target: "/x?a=1&b=2")
        #expect(parameters.take("a") == "1" && parameters.take("a") == nil)
        #expect(parameters.items.map(\.name) == ["b"])
    }
}
