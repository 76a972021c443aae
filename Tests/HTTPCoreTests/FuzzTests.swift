import Testing

@testable import HTTPCore

@Suite("Hostile bytes")
struct FuzzTests {
    /// SplitMix64: the same numbers everywhere.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// What is cut, doubled and mixed up: the inputs of the other tests, and pieces that matter to a parser.
    private static let pieces: [[UInt8]] =
        (RequestHeadParserTests.clauses + RequestLineTests.clauses + HeaderSectionTests.lengths
        + HeaderSectionTests.codings + ChunkedDecoderTests.clauses).map { Array($0.text.utf8) }
        + [
            "Content-Encoding: gzip\r\n", "Content-Encoding: deflate\r\n", "Accept-Encoding: gzip\r\n",
            "\r\n", "\r", "\n", ":", " ", "\0", "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\n", "0\r\n\r\n",
            "ffff",
        ]
        .map { Array($0.utf8) }
        + [
            post([UInt8](hex: ContentCodingTests.gzip)),
            post([UInt8](hex: ContentCodingTests.longHeader), chunkSize: 9),
            post([UInt8](hex: ContentCodingTests.zlib), as: "deflate", chunkSize: 30),
            [UInt8](hex: ContentCodingTests.emptyMember),
        ]

    private static func outcome(_ bytes: [UInt8], cuts: [Int]) throws -> TestSession.Outcome {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 100_000
        var session = try TestSession(limits: limits)
        var start = 0
        for end in cuts + [bytes.count] {
            session.receive(bytes[start..<end])
            start = end
        }
        session.end()
        #expect(session.http.isClosed)
        return session.outcome
    }

    @Test("Any bytes, cut anywhere: one outcome, no trap, and an end", arguments: 0..<20)
    func mutations(seed: UInt64) throws {
        var generator = Generator(state: seed)
        for round in 0..<200 {
            var bytes = (0..<Int.random(in: 1...4, using: &generator)).flatMap { _ in
                Self.pieces.randomElement(using: &generator) ?? []
            }
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator) ?? [], at: place)
                }
            }
            let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            let whole = try Self.outcome(bytes, cuts: [])
            #expect(try Self.outcome(bytes, cuts: cuts) == whole, "seed \(seed), round \(round)")
        }
    }
}
