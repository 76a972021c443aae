import Testing

@testable import HTTPCore

/// What comes of `text`, which must be the same however it is cut (RFC 9112 §2.2): in one piece, byte by byte, and
/// split at every position.
func outcome(
    of text: String,
    limits: HTTPLimits = HTTPLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> TestSession.Outcome {
    try outcome(of: Array(text.utf8), limits: limits, sourceLocation: sourceLocation)
}

func outcome(
    of bytes: [UInt8],
    limits: HTTPLimits = HTTPLimits(),
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> TestSession.Outcome {
    func outcome(_ pieces: [ArraySlice<UInt8>]) throws -> TestSession.Outcome {
        var session = try TestSession(limits: limits)
        for piece in pieces { session.receive(piece) }
        session.end()
        return session.outcome
    }
    let whole = try outcome([bytes[...]])
    let single = try outcome(bytes.indices.map { bytes[$0...$0] })
    #expect(single == whole, "byte by byte", sourceLocation: sourceLocation)
    // Long inputs are about limits; a few hundred places to cut them show enough.
    for position in stride(from: 1, to: bytes.count, by: max(1, bytes.count / 300)) {
        let split = try outcome([bytes[..<position], bytes[position...]])
        #expect(split == whole, "split at \(position)", sourceLocation: sourceLocation)
    }
    return whole
}

/// A clause of an RFC, an input, and what must come of it.
struct Clause: Sendable, CustomTestStringConvertible {
    enum Expectation: Sendable {
        /// All requests are answered with 200; so many of them.
        case accepted(Int)
        /// Refused with this status and code, and the connection is closed.
        case refused(String)
        /// Given up without an answer.
        case dropped
    }

    let name: String
    let text: String
    let expectation: Expectation

    var testDescription: String { self.name }

    static func accepts(_ name: String, _ text: String, requests: Int = 1) -> Clause {
        Clause(name: name, text: text, expectation: .accepted(requests))
    }

    static func refuses(_ name: String, _ refusal: String, _ text: String) -> Clause {
        Clause(name: name, text: text, expectation: .refused(refusal))
    }

    static func drops(_ name: String, _ text: String) -> Clause {
        Clause(name: name, text: text, expectation: .dropped)
    }

    func check(limits: HTTPLimits = HTTPLimits()) throws {
        let outcome = try outcome(of: self.text, limits: limits)
        switch self.expectation {
        case .accepted(let count):
            #expect(outcome.refusals == [])
            #expect(outcome.statuses == Array(repeating: 200, count: count))
            #expect(outcome.requests.count == count)
        case .refused(let refusal):
            #expect(outcome.refusals == [refusal])
            #expect(outcome.requests == [])
            #expect(outcome.output.contains("Connection: close\r\n"))
            #expect(outcome.isOver)
        case .dropped:
            #expect(outcome == TestSession.Outcome(isOver: true))
        }
    }
}
