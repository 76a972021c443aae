import AlignedMemory
import Foundation
import HTTPTypes
import Normalization
import Tensors

@testable import HTTPCore
@testable import NormalizationService
@testable import TensorFormats

extension FuzzTarget {
    /// A request of the Open Inference Protocol to infer: its JSON, up to a byte 0, then its blob, which is repeated or
    /// cut to the size that the JSON promises where that is small. A hash of the input says whether the frame is stated.
    static let infer = FuzzTarget(name: "infer") { input in
        var generator = InputGenerator(input)
        let json = Array(input.prefix { $0 != 0 })
        let blob = Array(input.dropFirst(json.count + 1))
        let request = json.withUnsafeBytes { try? InferRequest($0, maximumDepth: 8) }
        var body = json + blob
        if case .binary(let promised) = request?.input?.tensor?.content, 1...1 << 12 ~= promised {
            body = json + (0..<promised).map { blob.isEmpty ? 0 : blob[$0 % blob.count] }
        }
        let lengths = [
            nil, json.count, json.count, json.count, 0, body.count, Int.random(in: 0...5000, using: &generator),
        ]
        let reply = try InferExchangeCheck.reply(
            to: body,
            jsonByteCount: lengths.randomElement(using: &generator) ?? nil,
            model: InferExchangeCheck.models.randomElement(using: &generator) ?? ""
        )
        try InferExchangeCheck.check(reply, request, bodyByteCount: body.count)
    }
}

/// A service with a few models, and what its answers must be whatever is asked.
private enum InferExchangeCheck {
    static let models = ["ln", "bn", "half", "brain", "none"]

    private static let memory = MemoryBudget(limit: 1 << 20)

    private static let service: NormalizationService? = {
        var configuration = NormalizationService.Configuration()
        configuration.maximumJSONDepth = 8
        configuration.maximumElementCount = 1 << 12
        let layers = LayerRepository()
        do {
            for (name, dataType) in [("ln", DataType.fp32), ("half", .fp16), ("brain", .bf16)] {
                try Self.register(LayerNorm.type, [.normalizedShape: .integers([2])], dataType, as: name, in: layers)
            }
            let ones = try Tensor(uninitialized: .fp32, shape: Shape([3]))
            ones.elements(as: Float.self).update(repeating: 1)
            let values: [ParameterName: ParameterValue] = [.runningMean: .tensor(ones), .runningVar: .tensor(ones)]
            try Self.register(BatchNorm.type, values, .fp64, as: "bn", in: layers)
        } catch {
            return nil
        }
        return NormalizationService(
            configuration,
            authorization: Authorization(),
            readiness: Readiness(),
            metrics: HTTPMetrics(memory: Self.memory),
            layers: layers
        )
    }()

    private static func register(
        _ type: LayerType,
        _ values: [ParameterName: ParameterValue],
        _ dataType: DataType,
        as name: String,
        in layers: LayerRepository
    ) throws {
        guard let name = LayerName(name) else { return }
        let definition = LayerDefinition(type, dataType: dataType, values: values, untyped: [])
        _ = try layers.register(PreparedLayer(definition), as: name)
    }

    /// Asks the service as the server does.
    static func reply(to body: [UInt8], jsonByteCount: Int?, model: String) throws -> HTTPReply {
        guard let service else { preconditionFailure("the models are good") }
        var fields: HTTPFields = [:]
        fields[.inferenceHeaderContentLength] = jsonByteCount.map(String.init)
        let path = "/v2/models/\(model)/infer"
        let head = HTTPRequest(method: .post, scheme: "http", authority: "a", path: path, headerFields: fields)
        switch service.admit(head) {
        case .answer(let reply): return reply
        case .receive(let offset, _):
            let buffer = try AlignedBuffer(capacity: offset + body.count)
            let range = offset..<offset + body.count
            buffer[range].copyBytes(from: body)
            let now = MonotonicTime(nanoseconds: 1_000_000_000)
            let message = HTTPRequestMessage(
                head: head,
                buffer: body.isEmpty ? nil : buffer,
                bodyRange: range,
                firstByteAt: now,
                lastByteAt: now
            )
            return MemoryBudget.$current.withValue(Self.memory) { service.respond(to: message) }
        }
    }

    static func check(_ reply: HTTPReply, _ request: InferRequest?, bodyByteCount: Int) throws {
        precondition(Self.memory.usedBytes == 0, "what was counted is given back")
        let content = reply.body.flatMap(\.copiedBytes)
        precondition(content.count <= 32 * bodyByteCount + 4096, "an answer grows with its request")
        let stated = reply.head.headerFields[.inferenceHeaderContentLength].flatMap { Int($0) }
        let json = try JSONSerialization.jsonObject(with: Data(content.prefix(stated ?? content.count)))
        guard let object = json as? [String: Any] else { preconditionFailure("an answer is an object") }
        guard reply.head.status == .ok else {
            precondition(
                [400, 501, 503].contains(reply.head.status.code),
                "\(reply.head.status) is a refusal of infer"
            )
            precondition((object["error"] as? String)?.isEmpty == false, "clients look for error")
            precondition(!reply.mayBeCoded, "clients decode no error")
            return
        }
        let outputs = object["outputs"] as? [[String: Any]] ?? []
        precondition(outputs.count == 1, "a model has one output")
        let shape = outputs[0]["shape"] as? [Int] ?? [-1]
        precondition(shape.allSatisfy { $0 >= 0 }, "the output has a shape")
        let parameters = outputs[0]["parameters"] as? [String: Int]
        precondition((parameters == nil) != (outputs[0]["data"] == nil), "the elements are in one place")
        precondition(
            (parameters?["binary_data_size"] ?? 0) == content.count - (stated ?? content.count),
            "all bytes are there"
        )
        if let data = outputs[0]["data"] as? [Any] {
            precondition(data.count == shape.reduce(1, *), "the data fills the shape")
        }
        if request?.id?.isEmpty == false {
            // A request that is nothing but bytes has no id.
            precondition(object["id"] as? String == request?.id || stated != nil, "the id is echoed")
        }
    }
}
