import HTTPTypes
import Testing

@testable import NormalizationService

@Suite struct NormalizeExchangeTests {
    private let client = ServiceClient()

    @Test(
        arguments: [
            ([.contentType: "text/plain"], 415, "unsupported_media_type"),
            ([.contentType: "application/x-npz"], 415, "unsupported_media_type"),
            ([.contentType: "application/x-npy"], 422, "missing_member"),
            ([.contentType: "application/x-npy", .inferenceHeaderContentLength: "5"], 400, "invalid_binary_framing"),
            (
                [.contentType: "application/x-safetensors", .inferenceHeaderContentLength: "5"], 400,
                "invalid_binary_framing"
            ),
            ([.accept: "text/html"], 406, "not_acceptable"),
            ([.contentType: "application/octet-stream"], 400, "invalid_binary_framing"),
            ([.inferenceHeaderContentLength: "+5"], 400, "invalid_binary_framing"),
            ([.inferenceHeaderContentLength: "0x10"], 400, "invalid_binary_framing"),
            ([.inferenceHeaderContentLength: ""], 400, "invalid_binary_framing"),
            ([.inferenceHeaderContentLength: "99999999999999999999"], 400, "invalid_binary_framing"),
        ] as [(HTTPFields, Int, String)]
    )
    func headsThatAreRefusedBeforeTheBody(fields: HTTPFields, status: Int, code: String) throws {
        let answer = try self.client.send(.post, "/normalize", fields)
        #expect(answer.isByHead)
        #expect(answer.status == status)
        #expect(try answer.problem.code == code)
    }

    @Test func refusalsSayWhatWouldDo() throws {
        let type = try self.client.send(.post, "/normalize", [.contentType: "text/plain"])
        #expect(
            type.fields[.accept]
                == "application/json, application/octet-stream, application/x-npy, application/x-safetensors"
        )
    }

    @Test func aRepeatedLengthIsRefused() throws {
        var fields: HTTPFields = [.inferenceHeaderContentLength: "5"]
        fields.append(HTTPField(name: .inferenceHeaderContentLength, value: "5"))
        #expect(try self.client.send(.post, "/normalize", fields).problem.code == "invalid_binary_framing")
    }

    @Test func aQueryIsRefusedByName() throws {
        let answer = try self.client.send(.post, "/normalize?layer=bn1&shape=2")
        #expect(answer.status == 422)
        #expect(try answer.problem.detail == "unknown query parameter 'layer'; the layer stands in the JSON")
    }

    @Test(
        "A query belongs to one form each",
        arguments: [
            ("?type=layer_norm&axis=-1", [.contentType: "application/x-npy"], nil),
            ("?type=layer_norm&axis=-1&shape=2", [.contentType: "application/octet-stream"], nil),
            ("?type=layer_norm&axis=-1&shape=2", [.contentType: "application/x-npy"], "/layer/shape"),
            ("?type=layer_norm&axis=-1", [.contentType: "application/octet-stream"], "/input/shape"),
            ("?type=layer_norm&axis=-1", [.contentType: "application/x-safetensors"], "?"),
            ("", [.contentType: "application/x-safetensors"], nil),
        ] as [(String, HTTPFields, String?)]
    )
    func queries(query: String, fields: HTTPFields, pointer: String?) throws {
        let answer = try self.client.send(.post, "/normalize" + query, fields)
        // What is admitted is refused later, as there is no content.
        #expect(answer.isByHead == (pointer != nil))
        if let pointer {
            #expect(try answer.problem.pointer ?? "?" == pointer)
        }
    }

    @Test(arguments: ["/normalize?", "/normalize?&"])
    func anEmptyQueryIsNone(path: String) throws {
        let body = Array(#"{"layer":{"type":"rms_norm","axis":-1},"input":[1]}"#.utf8)
        #expect(try self.client.send(.post, path, body: body).status == 200)
    }

    @Test(
        "Only what is mostly blobs may be large and still answered on the event loop",
        arguments: [
            ([:], 32 << 10),
            ([.inferenceHeaderContentLength: "100"], 512 << 10),
            ([.inferenceHeaderContentLength: "400000"], 8 << 10),
            ([.inferenceHeaderContentLength: "100", .accept: "application/json"], 8 << 10),
            ([.inferenceHeaderContentLength: "100", .accept: "application/x-npy"], 512 << 10),
            ([.contentType: "application/x-safetensors"], 64 << 10),
            ([.contentType: "application/x-safetensors", .accept: "application/json"], 8 << 10),
        ] as [(HTTPFields, Int)]
    )
    func inlineLimits(fields: HTTPFields, limit: Int) throws {
        let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/normalize", headerFields: fields)
        guard case .receive(_, let inlineLimit) = self.client.service.admit(head) else {
            Issue.record("the request is admitted")
            return
        }
        #expect(inlineLimit == limit)
    }

    @Test func jsonMayBeFramedToo() throws {
        let json = Array(#"{"layer":{"type":"layer_norm","axis":-1,"eps":0},"input":[[1,3]]}"#.utf8)
        let fields: HTTPFields = [.contentType: "application/json", .inferenceHeaderContentLength: "\(json.count)"]
        let answer = try self.client.send(.post, "/normalize", fields, body: json)
        #expect(String(decoding: answer.body, as: UTF8.self).contains("[[-1,1]]"))
    }

    @Test(arguments: [(nil, 0), (0, 0), (1, 63), (63, 1), (64, 0), (100, 28)] as [(Int?, Int)])
    func theFirstBlobIsAlignedToACacheLine(jsonByteCount: Int?, offset: Int) throws {
        let fields: HTTPFields = jsonByteCount.map { [.inferenceHeaderContentLength: "\($0)"] } ?? [:]
        let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/normalize", headerFields: fields)
        let exchange = try NormalizeExchange(head)
        #expect(exchange.bodyOffset == offset)
        #expect((exchange.bodyOffset + (jsonByteCount ?? 0)) % 64 == 0)
    }
}
