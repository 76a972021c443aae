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

    private static let line = "HEAD / HTTP/1.1\r\n"
    private static let host = line + "Host: a\r\n"
    private static let chunked = chunked("")

    private static func chunked(_ fields: String) -> String {
        host + fields + "Transfer-Encoding: chunked\r\n\r\n"
    }

    /// A HEAD request for each refusal that one can meet. Two cannot be: the method is known, and draining is not
    /// the connection's affair.
    private static let headRequests: [(HTTPError, String)] = [
        (.malformedRequestLine, "HEAD /\r\n"),
        (.invalidTarget, "HEAD /a#b HTTP/1.1\r\n"),
        (.invalidTarget, "HEAD * HTTP/1.1\r\n"),
        (.unsupportedVersion, "HEAD / HTTP/2.0\r\n"),
        (.requestLineTooLong, "HEAD /" + String(repeating: "a", count: 17_000)),
        (.invalidLineEnd, "HEAD / HTTP/1.1\n"),
        (.foldedField, host + " b\r\n"),
        (.invalidFieldName, host + "b\r\n"),
        (.invalidFieldValue, host + "b: \u{1}\r\n"),
        (.headTooLarge, host + "b: " + String(repeating: "c", count: 33_000)),
        (.tooManyFields, host + String(repeating: "b: c\r\n", count: 100)),
        (.repeatedContentType, host + "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n"),
        (.missingHost, line + "\r\n"),
        (.repeatedHost, host + "Host: a\r\n\r\n"),
        (.invalidHost, line + "Host: a b\r\n\r\n"),
        (.invalidContentLength, host + "Content-Length: x\r\n\r\n"),
        (.repeatedContentLength, host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        (.contentLengthWithTransferEncoding, host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (.transferEncodingInHTTP10, "HEAD / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (.invalidTransferEncoding, host + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
        (.unsupportedTransferCoding, host + "Transfer-Encoding: gzip, chunked\r\n\r\n"),
        (.unsupportedExpectation, host + "Expect: x\r\n\r\n"),
        (.unsupportedContentCoding, chunked("Content-Encoding: br\r\n")),
        (.invalidContentCoding, chunked("Content-Encoding: gzip\r\n") + "2\r\nxx\r\n"),
        (.bodyTooLarge, host + "Content-Length: 999999999999\r\n\r\n"),
        (.invalidChunkSize, chunked + "x"),
        (.invalidChunkExtension, chunked + "1;\u{1}"),
        (.invalidChunkEnd, chunked + "1\r\nab"),
        (.chunkExtensionsTooLong, chunked + "1;" + String(repeating: "a", count: 5_000)),
        (.trailersTooLarge, chunked + "0\r\na: " + String(repeating: "a", count: 9_000)),
        (.tooManyTrailerFields, chunked + "0\r\n" + String(repeating: "a:\r\n", count: 33)),
        (.headTimeout, "HEAD / HT"),
        (.bodyTimeout, chunked + "1"),
        (.overloaded, host + "Content-Length: 2000\r\n\r\n"),
    ]

    @Test("9110 §9.3.2: no refusal of a HEAD request has content")
    func head() throws {
        for (error, text) in Self.headRequests {
            var session = try TestSession()
            session.memory = error == .overloaded ? 1_000 : .max
            session.receive(text)
            if [.headTimeout, .bodyTimeout].contains(error) { session.wait(.seconds(10)) }
            #expect(session.outcome.refusals == ["\(error.problem.status.code) \(error.problem.code)"], "\(error)")
            #expect(session.outcome.output.hasSuffix("Connection: close\r\n\r\n"), "\(error)")
        }
        #expect(
            Set(Self.headRequests.map(\.0)) == Set(HTTPError.allCases).subtracting([.unsupportedMethod, .draining])
        )
    }
}
