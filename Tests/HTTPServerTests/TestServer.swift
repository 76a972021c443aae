import AlignedMemory
import Dispatch
import HTTPCore
import HTTPTypes
import Synchronization
import Testing

@testable import HTTPServer

/// Answers by path: `/echo`, `/hold` (on a worker, when the test says so), `/large` (64 MiB), `/nothing` (refused).
final class TestResponder: HTTPResponder {
    static let largeCount = 64 << 20

    let heldCount = Atomic(0)
    let finishedCount = Atomic(0)
    let released = DispatchSemaphore(value: 0)
    let misalignedCount = Atomic(0)

    func admit(_ head: HTTPRequest) -> HTTPAdmission {
        switch head.path {
        case "/nothing": .answer(HTTPReply(head: HTTPResponse(status: .notFound), body: [.bytes(Array("no".utf8))]))
        case "/hold": .receive(bodyOffset: 0, inlineLimit: 0)
        default: .receive(bodyOffset: 7, inlineLimit: 64 << 10)
        }
    }

    func respond(to message: HTTPRequestMessage) -> HTTPReply {
        if let buffer = message.buffer, Int(bitPattern: buffer.baseAddress) % AlignedBuffer.alignment != 0 {
            self.misalignedCount.wrappingAdd(1, ordering: .relaxed)
        }
        switch message.head.path {
        case "/hold":
            self.heldCount.wrappingAdd(1, ordering: .relaxed)
            self.released.wait()
            self.finishedCount.wrappingAdd(1, ordering: .relaxed)
        case "/large":
            guard let large = try? AlignedBuffer(capacity: Self.largeCount) else {
                return self.reply(to: HTTPError.overloaded.problem)
            }
            return HTTPReply(head: HTTPResponse(status: .ok), body: [.buffer(large, 0..<Self.largeCount)])
        default: break
        }
        let body = message.buffer.map { HTTPBodyPart.buffer($0, message.bodyRange) } ?? .bytes(Array("ok".utf8))
        return HTTPReply(head: HTTPResponse(status: .ok), body: [body])
    }

    func reply(to problem: HTTPProblem) -> HTTPReply {
        HTTPReply(
            head: HTTPResponse(status: problem.status, headerFields: problem.fields),
            body: [.bytes(Array(problem.code.utf8))]
        )
    }
}

/// A server on a free port, with what a test wants to see of it.
final class TestServer: Sendable {
    let responder: TestResponder
    let server: HTTPServer
    let address: HTTPServerConfiguration.Address
    let metrics: HTTPMetrics

    init(
        _ address: HTTPServerConfiguration.Address = .tcp(host: "127.0.0.1", port: 0),
        memoryLimit: Int = 1 << 30,
        _ configure: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = HTTPServerConfiguration(address: address, eventLoopCount: 2, workerCount: 2)
        configure(&configuration)
        let memory = MemoryBudget(limit: memoryLimit)
        self.metrics = HTTPMetrics(memory: memory)
        self.responder = TestResponder()
        self.server = HTTPServer(
            configuration: configuration,
            responder: self.responder,
            memory: memory,
            metrics: self.metrics
        )
        self.address = try self.server.start()
    }

    deinit {
        for _ in 0..<100 { self.responder.released.signal() }
        self.server.shutdownNow()
    }

    func client() throws -> TestClient { try TestClient(self.address) }

    /// Drains and waits for the end of it.
    func drain() async -> Bool {
        await withCheckedContinuation { continuation in
            self.server.drain { continuation.resume(returning: $0) }
        }
    }
}

/// Waits until `condition` holds, for ten seconds at most.
func eventually(
    _ comment: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () -> Bool
) async throws {
    let deadline = MonotonicTime.now() + .seconds(10)
    while !condition() {
        try #require(MonotonicTime.now() < deadline, comment, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(2))
    }
}
