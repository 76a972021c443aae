import AlignedMemory
import Foundation
import HTTPCore
import HTTPTypes
import Testing

@testable import NormalizationService

/// Talks to the service as the server does, without a socket.
struct ServiceClient {
    let readiness = Readiness()
    let metrics = HTTPMetrics(memory: MemoryBudget(limit: 1 << 30))
    let layers = LayerRepository()
    var authorization = Authorization()
    var threadCount = 1
    var maximumElementCount = 1 << 28

    var service: NormalizationService {
        var configuration = NormalizationService.Configuration()
        configuration.threadCount = self.threadCount
        configuration.maximumElementCount = self.maximumElementCount
        configuration.version = "1.2.3"
        return NormalizationService(
            configuration,
            authorization: self.authorization,
            readiness: self.readiness,
            metrics: self.metrics,
            layers: self.layers
        )
    }

    /// The answer to one request, whether it is refused by its head or answered whole.
    func send(
        _ method: HTTPRequest.Method = .post,
        _ path: String = "/normalize",
        _ fields: HTTPFields = [:],
        body: [UInt8] = []
    ) throws -> Answer {
        let service = self.service
        let head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        switch service.admit(head) {
        case .answer(let reply):
            return Answer(reply, isByHead: true)
        case .receive(let offset, _):
            let buffer = try AlignedBuffer(capacity: offset + body.count)
            buffer[offset..<offset + body.count].copyBytes(from: body)
            let message = HTTPRequestMessage(
                head: head,
                buffer: body.isEmpty ? nil : buffer,
                bodyRange: offset..<offset + body.count,
                firstByteAt: .now(),
                lastByteAt: .now()
            )
            return Answer(service.respond(to: message), isByHead: false)
        }
    }

    /// The answer to a JSON body.
    func normalize(_ json: String) throws -> Answer {
        try self.send(body: Array(json.utf8))
    }

    /// The answer to a body in the binary framing.
    func normalize(_ json: String, blobs: [UInt8], _ fields: HTTPFields = [:]) throws -> Answer {
        var fields = fields
        fields[.inferenceHeaderContentLength] = "\(json.utf8.count)"
        return try self.send(.post, "/normalize", fields, body: Array(json.utf8) + blobs)
    }
}

/// A reply with its content put together.
struct Answer {
    let status: Int
    let fields: HTTPFields
    let body: [UInt8]

    /// Whether the answer was given before any content was looked at.
    let isByHead: Bool

    init(_ reply: HTTPReply, isByHead: Bool) {
        self.status = reply.head.status.code
        self.fields = reply.head.headerFields
        self.isByHead = isByHead
        self.body = reply.body.flatMap { part in
            switch part {
            case .bytes(let bytes): bytes
            case .buffer(let buffer, let range): Array(buffer[range])
            }
        }
    }

    /// The JSON of the answer, or of its header in the binary framing.
    var json: [String: Any] {
        get throws {
            let count = self.fields[.inferenceHeaderContentLength].flatMap { Int($0) } ?? self.body.count
            let object = try JSONSerialization.jsonObject(with: Data(self.body.prefix(count)))
            return try #require(object as? [String: Any])
        }
    }

    /// What follows the JSON in the binary framing.
    var blob: [UInt8] {
        let count = self.fields[.inferenceHeaderContentLength].flatMap { Int($0) } ?? self.body.count
        return Array(self.body.dropFirst(count))
    }

    func output(_ member: String) throws -> Any? {
        try (self.json["output"] as? [String: Any])?[member]
    }

    /// The output's data where it is flat.
    var data: [Double] {
        get throws { try #require(try self.output("data") as? [Double]) }
    }

    /// `code`, `pointer` and `detail` of a problem document.
    var problem: (code: String?, pointer: String?, detail: String?) {
        get throws {
            let json = try self.json
            return (json["code"] as? String, json["pointer"] as? String, json["detail"] as? String)
        }
    }
}

extension Route {
    /// A path of the route, with something in the places of its parameters.
    var examplePath: String { self.rawValue.replacing(/[{}]/, with: "") }
}
