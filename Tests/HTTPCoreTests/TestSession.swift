import AlignedMemory
import HTTPTypes

@testable import HTTPCore

/// Drives an `HTTPConnection` without sockets and clocks, and notes what comes of it.
struct TestSession {
    /// A request as the responder saw it.
    struct Seen: Equatable {
        var method: String
        var path: String?
        var authority: String?
        var fields: [String]
        var content: [UInt8]

        var body: String { String(decoding: self.content, as: UTF8.self) }
    }

    /// Everything that a client and a responder can tell.
    struct Outcome: Equatable {
        var requests: [Seen] = []
        var refusals: [String] = []
        var outputBytes: [UInt8] = []
        var isOver = false

        var output: String { String(decoding: self.outputBytes, as: UTF8.self) }

        /// The codes of the status lines, interim responses included.
        var statuses: [Int] {
            self.output.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }
        }
    }

    static let date = HTTPDate(seconds: 784_111_777)

    var http: HTTPConnection
    let metrics: HTTPMetrics
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var outcome = Outcome()
    var admission = HTTPAdmission.receive(bodyOffset: 0, inlineLimit: .max)
    var answer: (HTTPRequestMessage) -> HTTPReply? = { .echo($0) }
    /// How many bytes the client takes; the rest waits.
    var room = Int.max
    var memory = Int.max
    /// Whether others take their turn at each chance, for as long as `run` is not called.
    var pausesAtYield = false
    private(set) var yieldCount = 0
    /// The most content that was held to be sent.
    private(set) var maxOutputCount = 0
    private(set) var allocatedBytes = 0
    private(set) var reservedBytes = 0
    private(set) var recycledCount = 0
    private(set) var lastMessage: HTTPRequestMessage?

    init(
        limits: HTTPLimits = HTTPLimits(),
        timeouts: HTTPTimeouts = HTTPTimeouts(),
        budget: MemoryBudget = MemoryBudget(limit: .max),
        metrics: HTTPMetrics? = nil
    ) throws {
        self.metrics = metrics ?? HTTPMetrics(memory: budget)
        self.http = try HTTPConnection(limits: limits, timeouts: timeouts, metrics: self.metrics, at: self.now)
    }

    /// Delivers bytes as if one read had found them all.
    mutating func receive(_ text: String) { self.receive(Array(text.utf8)[...]) }

    mutating func receive(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        self.run { space in
            let count = min(space.count, rest.count)
            guard count > 0 else { return nil }
            rest.withUnsafeBytes { space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            rest = rest.dropFirst(count)
            return count
        }
    }

    mutating func end() {
        self.http.receivedEnd()
        self.run()
    }

    mutating func answerLater(_ reply: HTTPReply) {
        self.http.answered(reply, at: self.now, date: Self.date)
        self.run()
    }

    /// Lets time pass, then looks at the clock.
    mutating func wait(_ duration: Duration) {
        self.now = self.now + duration
        if self.http.tick(at: self.now) { self.run() }
    }

    /// Does every step that needs no further input; `read` gives the bytes there are, or `nil`.
    mutating func run(_ read: (UnsafeMutableRawBufferPointer) -> Int? = { _ in nil }) {
        while true {
            switch self.http.next(at: self.now) {
            case .receive(let space):
                guard let count = read(space) else { return }
                self.http.received(count, at: self.now)
            case .admit: self.http.admitted(self.admission, at: self.now, date: Self.date)
            case .allocate(let capacity, let reservation, let buffer):
                self.allocate(capacity, reservation, buffer)
            case .recycle:
                self.recycledCount += 1
                _ = self.http.takeReleasedBuffer()
            case .respond(let message, _):
                self.note(message)
                guard let reply = self.answer(message) else { return }
                self.http.answered(reply, at: self.now, date: Self.date)
            case .word(let problem):
                self.outcome.refusals.append("\(problem.status.code) \(problem.code)")
                self.http.answered(.refusal(problem), at: self.now, date: Self.date)
            case .awaitAnswer: return
            case .yield:
                self.yieldCount += 1
                if self.pausesAtYield { return }
            case .send:
                guard self.send() else { return }
            case .endSending: self.outcome.isOver = true
            case .close:
                self.outcome.isOver = true
                return
            }
        }
    }

    private mutating func allocate(_ capacity: Int, _ reservation: Int, _ buffer: AlignedBuffer?) {
        guard reservation <= self.memory, let buffer = try? buffer ?? AlignedBuffer(capacity: capacity),
            (try? buffer.reserve(capacity)) != nil
        else { return self.http.refuse(.overloaded) }
        (self.allocatedBytes, self.reservedBytes) = (capacity, reservation)
        self.http.provided(buffer, at: self.now)
    }

    private mutating func note(_ message: HTTPRequestMessage) {
        self.lastMessage = message
        self.outcome.requests.append(
            Seen(
                method: message.head.method.rawValue,
                path: message.head.path,
                authority: message.head.authority,
                fields: message.head.headerFields.map { "\($0.name): \($0.value)" },
                content: message.buffer.map { Array($0[message.bodyRange]) } ?? []
            )
        )
    }

    private mutating func send() -> Bool {
        let output = self.http.output
        var bytes = output.head
        for part in output.body { bytes += part.copiedBytes }
        self.maxOutputCount = max(self.maxOutputCount, bytes.count)
        let start = output.body.prefix(max(output.piece - 1, 0)).reduce(0) { $0 + $1.count }
        let skipped = (output.piece == 0 ? 0 : output.head.count + start) + output.offset
        let count = min(bytes.count - skipped, self.room)
        guard count > 0 else { return false }
        self.room -= self.room == .max ? 0 : count
        self.outcome.outputBytes += bytes[skipped..<skipped + count]
        self.http.sent(count, at: self.now)
        return true
    }
}

extension HTTPBodyPart {
    var copiedBytes: [UInt8] {
        switch self {
        case .bytes(let bytes): bytes
        case .buffer(let buffer, let range): Array(buffer[range])
        }
    }
}

extension HTTPReply {
    static func echo(_ message: HTTPRequestMessage) -> HTTPReply {
        let body = message.buffer.map { HTTPBodyPart.buffer($0, message.bodyRange) } ?? .bytes(Array("ok".utf8))
        return HTTPReply(head: HTTPResponse(status: .ok), body: [body])
    }

    static func refusal(_ problem: HTTPProblem) -> HTTPReply {
        HTTPReply(
            head: HTTPResponse(status: problem.status, headerFields: problem.fields),
            body: [.bytes(Array(problem.code.utf8))]
        )
    }
}
