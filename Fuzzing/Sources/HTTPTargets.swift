@testable import HTTPCore

extension FuzzTarget {
    /// All that comes over a connection: heads, framing, bodies, further requests.
    static let requestHead = FuzzTarget(name: "request-head") { input in
        try TestSession.checkSegmentation(of: Array(input))
    }

    /// Chunks that may be broken; and content sent in chunks that are not, which must come out as it went in.
    static let chunkedBody = FuzzTarget(name: "chunked-body") { input in
        let head = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        try TestSession.checkSegmentation(of: head + input)

        let content = Array(input)
        var generator = InputGenerator(input)
        var session = try TestSession.small()
        session.receive(head[...])
        for piece in generator.pieces(of: content, atMost: 16) where !piece.isEmpty {
            session.receive(String(piece.count, radix: 16, uppercase: generator.next() & 1 == 0) + "\r\n")
            session.receive(piece)
            session.receive("\r\n")
        }
        session.receive("0\r\n\r\n")
        if content.count <= HTTPLimits.small.maxBodyBytes {
            precondition(session.outcome.refusals.isEmpty, "valid chunks are taken: \(session.outcome.refusals)")
            precondition(
                session.outcome.requests.map(\.content) == [content],
                "content comes out of chunks as it went in"
            )
        } else {
            precondition(session.outcome.refusals == ["413 body_too_large"], "chunked content has a limit")
        }
    }
}
