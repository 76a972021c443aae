import HTTPCore
import TensorFormats
import Testing

@testable import NormalizationService

@Suite struct TimingTests {
    private static func message(firstByteAt: UInt64, lastByteAt: UInt64) -> HTTPRequestMessage {
        HTTPRequestMessage(
            head: .init(method: .post, scheme: "http", authority: "a", path: "/normalize"),
            buffer: nil,
            bodyRange: 0..<0,
            firstByteAt: MonotonicTime(nanoseconds: firstByteAt),
            lastByteAt: MonotonicTime(nanoseconds: lastByteAt)
        )
    }

    @Test func theStagesFollowEachOther() {
        var clock = StageClock(
            Self.message(firstByteAt: 1_000, lastByteAt: 22_400),
            now: MonotonicTime(nanoseconds: 22_700)
        )
        clock.finishDecoding(now: MonotonicTime(nanoseconds: 28_500))
        clock.finishComputing(now: MonotonicTime(nanoseconds: 29_400))
        let timing = clock.finishEncoding(now: MonotonicTime(nanoseconds: 31_600))
        var writer = JSONWriter()
        writer.object { timing.write(to: &$0) }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == """
                {"receive_us":21.4,"queue_us":0.3,"decode_us":5.8,"compute_us":0.9,"encode_us":2.2,"total_us":30.6}
                """
        )
        #expect(
            timing.serverTiming == "recv;dur=0.0214, queue;dur=0.0003, decode;dur=0.0058, norm;dur=0.0009, "
                + "encode;dur=0.0022, total;dur=0.0306"
        )
    }

    @Test func asPrintedThePartsNeverExceedTheTotalByMoreThanHalfAMicrosecond() throws {
        // Every rounding of each part, alone and together: only the last two digits of the nanoseconds matter.
        for digits in 0..<100 {
            let parts = (0..<5).map { UInt64((digits + $0 * 37) % 100 + 1000 * $0) }
            let timing = Timing(
                receive: parts[0],
                queue: parts[1],
                decode: parts[2],
                compute: parts[3],
                encode: parts[4],
                total: parts.reduce(0, +)
            )
            let printed = timing.serverTiming.split(separator: ",").compactMap { entry in
                entry.split(separator: "=").last.flatMap { Double($0) }
            }
            try #require(printed.count == 6)
            let sum = printed.dropLast().reduce(0, +)
            #expect(sum * 1000 <= printed[5] * 1000 + 0.5, "parts \(parts)")
        }
    }
}
