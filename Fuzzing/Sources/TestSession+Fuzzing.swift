import AlignedMemory
import HTTPTypes

@testable import HTTPCore

extension HTTPLimits {
    /// Limits that an input of a few hundred bytes can reach.
    static let small: HTTPLimits = {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 600
        limits.maxHeadBytes = 400
        limits.maxFieldCount = 12
        limits.maxRequestLineBytes = 100
        limits.maxChunkExtensionBytes = 40
        limits.maxTrailerBytes = 80
        limits.maxTrailerFieldCount = 3
        return limits
    }()
}

extension TestSession {
    /// Hundreds of counters: to make them takes longer than most inputs do.
    private static let sharedMetrics = HTTPMetrics(memory: MemoryBudget(limit: .max))

    /// A connection with little patience, all of whose requests get the same short answer.
    static func small(maxBodyBytes: Int = HTTPLimits.small.maxBodyBytes) throws -> TestSession {
        var limits = HTTPLimits.small
        limits.maxBodyBytes = maxBodyBytes
        var session = try TestSession(limits: limits, metrics: Self.sharedMetrics)
        session.answer = { _ in HTTPReply(head: HTTPResponse(status: .ok), body: [.bytes(Array("ok".utf8))]) }
        return session
    }

    /// What comes of a connection on which these pieces arrive, and then nothing more.
    static func outcome(of pieces: [ArraySlice<UInt8>]) throws -> Outcome {
        var session = try Self.small()
        for piece in pieces { session.receive(piece) }
        session.end()
        precondition(session.http.isClosed, "a connection whose client has gone is closed")
        // RFC 9110 §10.1.1: it may be left out once content has begun to arrive.
        var outcome = session.outcome
        outcome.outputBytes = outcome.outputBytes.replacing("HTTP/1.1 100 Continue\r\n\r\n".utf8, with: [])
        return outcome
    }

    /// RFC 9112 §2.2: a connection is a sequence of bytes; how they were cut on the way makes no difference.
    ///
    /// - Returns: what comes of them.
    @discardableResult
    static func checkSegmentation(of bytes: [UInt8]) throws -> Outcome {
        let whole = try Self.outcome(of: [bytes[...]])
        for request in whole.requests {
            precondition(request.content.count <= HTTPLimits.small.maxBodyBytes, "a body keeps its limit")
            precondition(request.fields.count <= HTTPLimits.small.maxFieldCount, "a head keeps its limit")
        }
        precondition(whole.refusals.count <= 1, "nothing is read after a refusal")
        precondition(
            whole.statuses.count == whole.requests.count + whole.refusals.count,
            "every request has one answer"
        )

        let single = try Self.outcome(of: bytes.indices.map { bytes[$0...$0] })
        precondition(single == whole, "byte by byte: \(single) in place of \(whole)")
        var generator = bytes.withUnsafeBytes { InputGenerator($0) }
        let cut = try Self.outcome(of: generator.pieces(of: bytes, atMost: 8))
        precondition(cut == whole, "in pieces: \(cut) in place of \(whole)")
        precondition(Self.sharedMetrics.memory.usedBytes == 0, "what was counted is given back")
        return whole
    }
}
