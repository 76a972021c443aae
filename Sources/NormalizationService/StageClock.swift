import HTTPCore

/// Measures the stages of one request, each from the end of the one before, so that they add up to the total.
struct StageClock {
    private let firstByteAt: MonotonicTime
    private var stageStartedAt: MonotonicTime
    private(set) var receive: UInt64
    private(set) var queue: UInt64
    private(set) var decode: UInt64 = 0
    private(set) var compute: UInt64 = 0

    /// Starts when the request leaves the queue.
    init(_ message: HTTPRequestMessage, now: MonotonicTime = .now()) {
        self.firstByteAt = message.firstByteAt
        self.receive = message.lastByteAt.nanoseconds(since: message.firstByteAt)
        self.queue = now.nanoseconds(since: message.lastByteAt)
        self.stageStartedAt = now
    }

    mutating func finishDecoding(now: MonotonicTime = .now()) {
        self.decode = now.nanoseconds(since: self.stageStartedAt)
        self.stageStartedAt = now
    }

    mutating func finishComputing(now: MonotonicTime = .now()) {
        self.compute = now.nanoseconds(since: self.stageStartedAt)
        self.stageStartedAt = now
    }

    /// Ends the last stage and the measurement.
    func finishEncoding(now: MonotonicTime = .now()) -> Timing {
        Timing(
            receive: self.receive,
            queue: self.queue,
            decode: self.decode,
            compute: self.compute,
            encode: now.nanoseconds(since: self.stageStartedAt),
            total: now.nanoseconds(since: self.firstByteAt)
        )
    }
}
