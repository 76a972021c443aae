import HTTPTypes
import Testing

@testable import HTTPCore

@Suite("Refusals")
struct HTTPErrorTests {
    @Test(
        "Each has an error status, a code and a sentence that says nothing about the request",
        arguments: HTTPError.allCases
    )
    func problem(error: HTTPError) {
        let problem = error.problem
        #expect([.clientError, .serverError].contains(problem.status.kind))
        #expect(problem.code.allSatisfy { $0.isLowercase || $0 == "_" })
        #expect(!problem.detail.isEmpty)
        #expect(problem.pointer == nil)
        // RFC 9110 §15.6.4
        #expect((problem.status == .serviceUnavailable) == problem.fields.contains(.retryAfter))
    }

    @Test("One code stands for one status, and one sentence for one rule")
    func codes() {
        let problems = HTTPError.allCases.map(\.problem)
        #expect(Set(problems.map(\.detail)).count == problems.count)
        for (code, group) in Dictionary(grouping: problems, by: \.code) {
            #expect(Set(group.map(\.status)).count == 1, "\(code)")
        }
    }
}
