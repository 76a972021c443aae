public import AlignedMemory
public import HTTPTypes

/// One connection of an HTTP/1.1 server as a state machine: it knows the protocol, and neither sockets nor clocks.
///
/// The driver calls `next(at:)` until it says what to wait for, does each step, and reports back:
/// ``Step`` says with which method. Requests are answered one after the other, in the order they came in.
public struct HTTPConnection {
    /// What the driver has to do.
    public enum Step {
        /// Read from the socket into this space, then call `received` or `receivedEnd`.
        case receive(UnsafeMutableRawBufferPointer)
        /// Ask the responder, then call `admitted`.
        case admit(HTTPRequest)
        /// Find memory of this capacity in bytes, and room for so many that may soon be used of it and beside it;
        /// then call `provided`, or `refuse` if there is none. A buffer that is there already is grown.
        case allocate(capacity: Int, reservation: Int, growing: AlignedBuffer?)
        /// The content's memory is no longer needed: call `takeReleasedBuffer`.
        case recycle
        /// Have the request answered, on this thread or on a worker, then call `answered`.
        case respond(HTTPRequestMessage, isInline: Bool)
        /// Have the refusal worded, then call `answered`.
        case word(HTTPProblem)
        /// Wait for the call of `answered`.
        case awaitAnswer
        /// Send from `output`, then call `sent`.
        case send
        /// Go on, after others have had their turn if this one has taken long: there is more to compute.
        case yield
        /// Shut down the sending side, then go on.
        case endSending
        /// Close the socket; no step follows.
        case close
    }

    enum Phase {
        /// Between two requests, or within a head.
        case head
        /// The responder is asked about the head.
        case admission
        /// Memory is wanted for the content, or for more of it.
        case allocation
        /// The content arrives.
        case content
        /// The request is whole and about to be handed over.
        case dispatch
        /// The responder works.
        case answer
        /// The next chunk of a coded reply is being made.
        case chunk
        /// The request was refused and the words for it are about to be asked for.
        case refusal(HTTPError)
        /// The words for a refusal are awaited.
        case refusalAnswer
        /// `100 Continue` is being sent.
        case interimOutput
        /// A reply is being sent.
        case output
        /// The content of a request that was refused is thrown away; so many bytes remain.
        case discard(Int)
        /// The last reply has been sent.
        case endOfSending
        /// RFC 9112 §9.6: the client may still be sending; closing now could destroy the reply on its way.
        case linger
        case closed
    }

    /// Where the bytes go that are received next.
    enum ReceiveTarget {
        case input
        /// The memory of the content.
        case body
        /// They are thrown away.
        case nowhere
    }

    /// A request whose head is complete, until its reply is sent.
    struct Exchange {
        let head: RequestHead
        /// A pipelined request counts from the end of the reply before it, when its turn comes.
        let firstByteAt: MonotonicTime
        var bodyOffset = 0
        var inlineLimit = 0
        var buffer: AlignedBuffer?
        /// How many bytes of content `buffer` may hold by now.
        var reservedCount = 0
        var receivedCount = 0
        /// How much of the content was taken from the input, if it is coded.
        var codedCount = 0
        var lastByteAt: MonotonicTime
        /// Set if the content is not wanted: so much of it is still thrown away after the reply.
        var unwantedCount = 0
    }

    /// So much a client may go on sending after the last reply, however little content is allowed: what is on its way
    /// when the connection is closed takes the reply with it.
    private static let minLingeredBytes = 16 << 20

    let limits: HTTPLimits
    let timeouts: HTTPTimeouts
    let metrics: HTTPMetrics
    var phase = Phase.head
    var input: InputBuffer
    var parser: RequestHeadParser
    var receiveTarget = ReceiveTarget.input
    var inputHasEnded = false

    /// The request in work.
    var exchange: Exchange?
    /// Takes its framing off, if its content is chunked.
    var chunks: ChunkedDecoder?
    /// Undoes its coding, if its content is coded.
    var inflater: Inflater?
    /// When the client was last left waiting for the server to compute.
    var yieldedAt: MonotonicTime?
    /// The content of the reply that is being sent, if it is coded.
    var codedContent: CodedContent?
    /// A body's memory that waits to be recycled.
    var released: AlignedBuffer?

    /// What is to be sent now.
    public internal(set) var output = HTTPOutput()

    /// Whether the connection is closed after the next reply.
    var closesAfterReply = false
    /// Whether no further request is waited for.
    var isDraining = false
    var lingeredBytes = 0
    var requestCount = 0

    /// When the current wait began: for the first byte of a head, its last, the client's taking or closing.
    var waitingSince: MonotonicTime
    /// When the first byte of the head was read that is being read.
    var headBeganAt: MonotonicTime
    /// The content that has arrived since `waitingSince`.
    var bodyBytesInSpan = 0

    /// A connection that was just accepted.
    public init(
        limits: HTTPLimits,
        timeouts: HTTPTimeouts,
        metrics: HTTPMetrics,
        at now: MonotonicTime
    ) throws(AllocationError) {
        var limits = limits
        // More than any memory, and so little that no sum of sizes overflows.
        limits.maxBodyBytes = min(limits.maxBodyBytes, 1 << 48)
        self.limits = limits
        self.timeouts = timeouts
        self.metrics = metrics
        self.input = try InputBuffer()
        self.parser = RequestHeadParser(limits: limits)
        self.waitingSince = now
        self.headBeganAt = now
    }

    /// Whether no request is being read, worked on or answered.
    public var isIdle: Bool {
        if case .head = self.phase { return !self.parser.hasBegun && self.input.isEmptyLineOrLess }
        return false
    }

    /// Whether the driver waits for a responder. Then nobody notices that the client has gone but by asking.
    public var awaitsAnswer: Bool {
        if case .answer = self.phase { return true }
        return false
    }

    /// Whether the only step left is to close.
    public var isClosed: Bool {
        if case .closed = self.phase { return true }
        return false
    }

    /// The next step, at the time `now`.
    public mutating func next(at now: MonotonicTime) -> Step {
        while true {
            if self.released != nil { return .recycle }
            do throws(HTTPError) {
                if let step = try self.advance(at: now) { return step }
            } catch {
                self.refuse(error)
            }
        }
    }

    private mutating func advance(at now: MonotonicTime) throws(HTTPError) -> Step? {
        switch self.phase {
        case .head: return try self.readHead(at: now)
        case .admission: return self.exchange.map { .admit($0.head.request) }
        case .allocation: return self.allocationStep()
        case .content: return try self.readContent(at: now)
        case .dispatch: return self.dispatchStep(at: now)
        case .refusal(let error):
            self.phase = .refusalAnswer
            return .word(error.problem)
        case .answer, .refusalAnswer: return .awaitAnswer
        case .chunk: return self.chunkStep(at: now)
        case .interimOutput, .output: return .send
        case .discard(let count): return try self.discardStep(count, at: now)
        case .endOfSending:
            self.phase = .linger
            self.waitingSince = now
            return .endSending
        case .linger:
            if self.inputHasEnded || self.lingeredBytes > max(self.limits.maxBodyBytes, Self.minLingeredBytes) {
                self.phase = .closed
                return nil
            }
            return try self.receiveStep(.nowhere)
        case .closed: return .close
        }
    }

    /// Turns to refusing the request, or the connection if no request is there.
    public mutating func refuse(_ error: HTTPError) {
        error.limit.map { self.metrics[$0].add() }
        self.closesAfterReply = true
        self.input.removeAll()
        self.releaseMemory()
        self.exchange?.unwantedCount = 0
        self.phase = .refusal(error)
    }

    /// There is no memory for the content of the request at the moment.
    public mutating func refuseForWantOfMemory() {
        self.metrics[.inFlightBytes].add()
        self.refuse(.overloaded)
    }

    /// The connection ends with the next reply that can say so, or without one if no request comes soon.
    public mutating func drain(at now: MonotonicTime) {
        self.isDraining = true
        switch self.phase {
        case .head:
            if self.isIdle { self.waitingSince = now }
        case .chunk, .output, .discard:
            // RFC 9112 §9.6: the client has been told nothing yet and may send its next request.
            break
        default:
            self.closesAfterReply = true
        }
    }

    /// The client has gone: nothing is answered any more, and what it held is given back.
    public mutating func abandon() {
        self.releaseMemory()
        self.output.begin()
        self.phase = .closed
    }

    /// Hands over the memory of a body, to be used again or freed.
    public mutating func takeReleasedBuffer() -> AlignedBuffer? {
        self.released.take()
    }

    /// Forgets all that was held for the request and its reply.
    mutating func releaseMemory() {
        self.inflater = nil
        self.codedContent = nil
        self.yieldedAt = nil
        self.releaseBuffer()
    }

    /// Forgets the body's memory, to be recycled with the next step.
    mutating func releaseBuffer() {
        guard let buffer = self.exchange?.buffer else { return }
        self.exchange?.buffer = nil
        self.released = buffer
    }
}
