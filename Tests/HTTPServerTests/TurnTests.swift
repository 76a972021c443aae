import HTTPCore
import Testing

@testable import HTTPServer

@Suite("Turns")
struct TurnTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test("A turn ends with its time; what is ready is still sent")
    func time() {
        var turn = Turn(at: self.start)
        turn.now = self.start + .microseconds(1_999)
        #expect(turn.mayBegin && turn.mayReceive && turn.maySend)
        turn.now = self.start + .milliseconds(2)
        #expect(!turn.mayBegin && !turn.mayReceive && turn.maySend)
    }

    @Test("A turn ends with its bytes")
    func bytes() {
        var turn = Turn(at: self.start)
        turn.bytes = (4 << 20) - 1
        #expect(turn.mayBegin && turn.mayReceive && turn.maySend)
        turn.bytes += 1
        #expect(!turn.mayBegin && !turn.mayReceive && !turn.maySend)
    }

    @Test("A turn ends with its requests; the last one is received and answered")
    func requests() {
        var turn = Turn(at: self.start)
        turn.requests = 31
        #expect(turn.mayBegin)
        turn.requests += 1
        #expect(!turn.mayBegin && turn.mayReceive && turn.maySend)
    }
}
