import AlignedMemory
import Foundation
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors
import Testing

@testable import NormalizationService

/// What end-to-end tests cannot see of `/v2`; the rest of it is held by Tests/EndToEnd/test_oip_*.py.
@Suite struct InferEndpointTests {
    private let client = ServiceClient()

    /// Registers a layer_norm of rows of two.
    private func register(as name: String = "ln", _ dataType: DataType = .fp32) throws -> RegisteredLayer {
        let values: [ParameterName: ParameterValue] = [.normalizedShape: .integers([2]), .epsilon: .real(0)]
        let definition = LayerDefinition(LayerNorm.type, dataType: dataType, values: values, untyped: [])
        return try self.client.layers.register(PreparedLayer(definition), as: try #require(LayerName(name)))
    }

    private func head(_ path: String = "/v2/models/ln/infer", _ fields: HTTPFields = [:]) -> HTTPRequest {
        HTTPRequest(method: .post, scheme: nil, authority: nil, path: path, headerFields: fields)
    }

    private static func binary(_ shape: String, _ byteCount: Int) -> String {
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":\#(shape),"parameters":{"binary_data_size":\#(byteCount)}}],"#
            + #""parameters":{"binary_data_output":true}}"#
    }

    @Test(
        "Blobs are aligned, and only what is mostly blobs may be large and still answered on the event loop",
        arguments: [
            ([:], 0, 32 << 10), ([.inferenceHeaderContentLength: "0"], 0, 128 << 10),
            ([.inferenceHeaderContentLength: "100"], 28, 128 << 10),
            ([.inferenceHeaderContentLength: "400000", .contentType: "text/html"], 0, 8 << 10),
        ] as [(HTTPFields, Int, Int)]
    )
    func admission(fields: HTTPFields, offset: Int, limit: Int) throws {
        _ = try self.register()
        guard case .receive(let bodyOffset, let inlineLimit) = self.client.service.admit(self.head(fields: fields))
        else {
            Issue.record("the request is admitted")
            return
        }
        #expect(bodyOffset == offset)
        #expect(inlineLimit == limit)
    }

    private func head(fields: HTTPFields) -> HTTPRequest { self.head("/v2/models/ln/infer", fields) }

    @Test(
        "What the head gives away is refused before any content",
        arguments: [
            ("/v2/models/x/infer", [:], 400, "unknown_model"),
            ("/v2/models/ln/versions/2/infer", [:], 404, "unknown_layer"),
            ("/v2/models/ln/infer", [.inferenceHeaderContentLength: "+5"], 400, "invalid_binary_framing"),
            ("/v2/models/ln/infer", [.inferenceHeaderContentLength: ""], 400, "invalid_binary_framing"),
            ("/v2/models/ln/nothing", [:], 404, "not_found"), ("/v2/logging", [:], 501, "not_supported"),
        ] as [(String, HTTPFields, Int, String)]
    )
    func refusalsByHead(path: String, fields: HTTPFields, status: Int, code: String) throws {
        _ = try self.register()
        let answer = try self.client.send(.post, path, fields)
        #expect(answer.isByHead)
        #expect(answer.status == status)
        #expect(try answer.problem.code == code)
    }

    @Test("A blob is normalized where it was received, and sent from there")
    func inPlace() throws {
        _ = try self.register()
        let json = Array(Self.binary("[2,2]", 16).utf8)
        let head = self.head(fields: [.inferenceHeaderContentLength: "\(json.count)"])
        guard case .receive(let offset, _) = self.client.service.admit(head) else {
            Issue.record("the request is admitted")
            return
        }
        let range = offset..<offset + json.count + 16
        let buffer = try AlignedBuffer(capacity: range.upperBound)
        buffer[range].copyBytes(from: json)
        buffer.baseAddress.advanced(by: offset + json.count).assumingMemoryBound(to: Float.self)
            .update(from: [1, 3, 7, 5], count: 4)
        let now = MonotonicTime.now()
        let message = HTTPRequestMessage(
            head: head,
            buffer: buffer,
            bodyRange: range,
            firstByteAt: now,
            lastByteAt: now
        )
        let reply = self.client.service.respond(to: message)
        #expect(reply.head.status == .ok)
        #expect(reply.mayBeCoded)
        guard case .buffer(let sent, let sentRange) = reply.body.last else {
            Issue.record("the output is a stretch of a buffer")
            return
        }
        #expect(sent === buffer)
        #expect(sentRange == offset + json.count..<range.upperBound)
        #expect(sentRange.lowerBound % 64 == 0)
        #expect(Array(sent[sentRange].bindMemory(to: Float.self)) == [-1, 1, 1, -1])
    }

    @Test func onlyAnswersToInferMayBeCoded() throws {
        _ = try self.register()
        for path in ["/v2", "/v2/models/ln", "/v2/models/ln/config", "/v2/models/ln/stats", "/v2/models/x"] {
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
            guard case .answer(let reply) = self.client.service.admit(head) else {
                Issue.record("the answer needs no content")
                continue
            }
            #expect(!reply.mayBeCoded, "\(path)")
        }
        let index = try self.client.send(.post, "/v2/repository/index")
        #expect(String(decoding: index.body, as: UTF8.self) == #"[{"name":"ln","version":"1","state":"READY"}]"#)
    }

    @Test func drainingIsNotReady() throws {
        self.client.readiness.startDraining()
        #expect(try self.client.send(.get, "/v2/health/ready").problem.code == "draining")
        #expect(try self.client.send(.get, "/v2/health/live").status == 200)
    }

    @Test("A layer that is gone when the content has arrived is not found")
    func removedMeanwhile() throws {
        let layer = try self.register()
        let head = self.head()
        guard case .receive = self.client.service.admit(head) else {
            Issue.record("the request is admitted")
            return
        }
        try self.client.layers.remove(layer.name)
        let now = MonotonicTime.now()
        let message = HTTPRequestMessage(head: head, buffer: nil, bodyRange: 0..<0, firstByteAt: now, lastByteAt: now)
        let answer = Answer(self.client.service.respond(to: message), isByHead: false)
        #expect(answer.status == 400)
        #expect(try answer.problem.code == "unknown_model")
        #expect(answer.fields[.serverTiming] != nil)
    }

    @Test("Unloading concerns what is there; of what is gone nothing is kept")
    func availability() throws {
        let availability = ModelAvailability()
        let first = try self.register()
        availability.unload(first, in: self.client.layers)
        #expect(!availability.isReady(first))
        let second = try self.register()
        #expect(availability.isReady(second))
        availability.unload(second, in: self.client.layers)
        #expect(!availability.isReady(second))
        availability.load(first.name)
        #expect(availability.isReady(first))
        #expect(availability.isReady(second))

        availability.unload(second, in: self.client.layers)
        try self.client.layers.remove(second.name)
        availability.unload(try self.register(as: "other"), in: self.client.layers)
        #expect(availability.isReady(second))
    }

    @Test("Errors are 400 where they are 422 elsewhere, with the same code and pointer")
    func statuses() throws {
        _ = try self.register()
        let json = #"{"inputs":[{"name":"input","datatype":"FP32","shape":[1,2],"data":[1,true]}]}"#
        let answer = try self.client.send(.post, "/v2/models/ln/infer", body: Array(json.utf8))
        #expect(answer.status == 400)
        #expect(try answer.problem.code == "invalid_data")
        #expect(try answer.problem.pointer == "/inputs/0/data/1")
        #expect(try answer.json["title"] as? String == "Bad Request")
        #expect(try answer.json["error"] as? String == answer.problem.detail)
    }

    @Test func limitsAreKept() throws {
        var client = self.client
        client.maximumElementCount = 4
        _ = try self.register()
        for (shape, status) in [("[2,2]", 200), ("[3,2]", 400)] {
            let count = status == 200 ? 16 : 24
            let json = Array(Self.binary(shape, count).utf8)
            let answer = try client.send(
                .post,
                "/v2/models/ln/infer",
                [.inferenceHeaderContentLength: "\(json.count)"],
                body: json + [UInt8](repeating: 0, count: count)
            )
            #expect(answer.status == status)
            #expect(try answer.problem.code == (status == 200 ? nil : "too_many_elements"))
        }
        #expect(client.metrics[.elements].value == 1)
    }
}
