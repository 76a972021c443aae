import AlignedMemory
import Foundation
import HTTPTypes
import Tensors

@testable import HTTPCore
@testable import NormalizationService
@testable import TensorFormats

extension FuzzTarget {
    /// A request to normalize in JSON, from its bytes to its answer: layers, parameters, kernels.
    static let serviceJSON = FuzzTarget(name: "service-json") { input in
        try ServiceExchange(body: Array(input), fields: [:], accept: Self.accept(input)).check()
    }

    /// The same in the binary framing. The JSON ends at a byte 0; the bytes after it are repeated until they are as many
    /// as the JSON promises, if these are few.
    static let serviceBinary = FuzzTarget(name: "service-binary") { input in
        let json = Array(input.prefix { $0 != 0 })
        let blob = Array(input.dropFirst(json.count + 1))
        let promised = json.withUnsafeBytes { json in
            (try? NormalizeRequest(json, maximumDepth: 8))?.tensors.reduce(into: 0) { count, tensor in
                if case .binary(let byteCount) = tensor.content { count = count.addingReportingOverflow(byteCount).0 }
            }
        }
        var tensors = blob
        if let promised, 1...1 << 16 ~= promised {
            tensors = (0..<promised).map { blob.isEmpty ? 0 : blob[$0 % blob.count] }
        }
        try ServiceExchange(
            body: json + tensors,
            fields: [.inferenceHeaderContentLength: "\(json.count)"],
            accept: Self.accept(input)
        ).check()
    }

    private static func accept(_ input: UnsafeRawBufferPointer) -> MediaType? {
        var generator = InputGenerator(input)
        return ([nil] + MediaType.allCases).randomElement(using: &generator) ?? nil
    }

    /// The fields that the service reads, one a line: Content-Type, Accept, Content-Encoding, the length of the JSON,
    /// Authorization; then the target.
    static let headerValues = FuzzTarget(name: "header-values") { input in
        let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { UnsafeRawBufferPointer(rebasing: $0).trimmingBlanks() }
        let names: [HTTPField.Name] = [
            .contentType, .accept, .contentEncoding, .inferenceHeaderContentLength, .authorization,
        ]
        var fields = HTTPFields()
        for (name, line) in zip(names, lines) where !line.isEmpty {
            // The parser hands on no other.
            guard line.allSatisfy(\.isFieldCharacter) else { return }
            fields.append(HTTPField(name: name, value: line.string))
        }
        var exchange = ServiceExchange(body: Array(#"{"layer":"x","input":[1]}"#.utf8), fields: fields)
        let authorization = lines.count > 4 ? lines[4].string : ""
        let isGranted = authorization.wholeMatch(of: /(?i:bearer) +k3y\.=/.asciiOnlyWordCharacters()) != nil
        let reply = try exchange.check(by: ServiceExchange.lockedService)
        precondition((reply == .unauthorized) == !isGranted, "a key, and nothing else, opens: \(authorization)")

        if lines.count > names.count { exchange.path = lines[names.count].string }
        try exchange.check()
    }

    /// A file of keys: all its lines are keys, comments or blank, or it is refused; and a key is good for a request.
    static let keys = FuzzTarget(name: "keys") { input in
        let lines = input.split(separator: UInt8(ascii: "\n")).map { $0.last == 0x0D ? $0.dropLast() : $0 }
        let keys = lines.filter { $0.first != UInt8(ascii: "#") && !$0.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
        let areTokens = keys.allSatisfy { key in
            let padding = key.reversed().prefix { $0 == UInt8(ascii: "=") }
            return padding.count < key.count && key.dropLast(padding.count).allSatisfy { Self.tokenBytes.contains($0) }
        }
        let ring: KeyRing
        do throws(KeyFileError) {
            ring = try KeyRing(file: Array(input))
        } catch {
            precondition(!areTokens || keys.isEmpty, "this is a file of keys: \(error)")
            return
        }
        precondition(areTokens && ring.count == keys.count, "this is no file of keys")
        let authorization = Authorization(Authorization.Keys(api: ring))
        for key in keys {
            var head = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/normalize")
            head.headerFields[.authorization] = "Bearer \(String(decoding: key, as: UTF8.self))"
            do throws(HTTPProblem) {
                try authorization.check(head, for: .normalize)
            } catch {
                preconditionFailure("a key is good: \(error)")
            }
        }
    }

    /// RFC 6750 §2.1
    private static let tokenBytes = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/".utf8
    )
}

/// A request to the service, and what its answer must be whatever the request is.
struct ServiceExchange {
    /// Open to all, with limits that an input can reach.
    static let service = makeService(Authorization())

    /// For those who have the key.
    static let lockedService = makeService(
        Authorization(Authorization.Keys(api: try? KeyRing(file: Array("k3y.=".utf8))))
    )

    private static let memory = MemoryBudget(limit: 1 << 20)

    private static func makeService(_ authorization: Authorization) -> NormalizationService {
        var configuration = NormalizationService.Configuration()
        configuration.maximumJSONDepth = 8
        configuration.maximumElementCount = 1 << 12
        return NormalizationService(
            configuration,
            authorization: authorization,
            readiness: Readiness(),
            metrics: HTTPMetrics(memory: Self.memory)
        )
    }

    /// The refusals that `openapi.yaml` lists: code and status.
    static let refusals: [String: Int] = {
        let codes = ProblemCode.allCases.map { ($0.rawValue, $0.status.code) }
        let problems = HTTPError.allCases.map { ($0.problem.code, $0.problem.status.code) }
        return Dictionary(codes + problems) { $1 }
    }()

    var path = "/normalize"
    let body: [UInt8]
    var fields: HTTPFields
    var accept: MediaType?

    /// Asks the service as the server does.
    private func reply(of service: NormalizationService) throws -> HTTPReply {
        var fields = self.fields
        if let accept { fields[.accept] = accept.rawValue }
        let head = HTTPRequest(method: .post, scheme: "http", authority: "a", path: self.path, headerFields: fields)
        switch service.admit(head) {
        case .answer(let reply): return reply
        case .receive(let offset, _):
            let buffer = try AlignedBuffer(capacity: offset + self.body.count)
            let range = offset..<offset + self.body.count
            buffer[range].copyBytes(from: self.body)
            let now = MonotonicTime(nanoseconds: 1_000_000_000)
            let message = HTTPRequestMessage(
                head: head,
                buffer: self.body.isEmpty ? nil : buffer,
                bodyRange: range,
                firstByteAt: now,
                lastByteAt: now
            )
            return MemoryBudget.$current.withValue(Self.memory) { service.respond(to: message) }
        }
    }

    /// - Returns: the answer's status.
    @discardableResult
    func check(by service: NormalizationService = service) throws -> HTTPResponse.Status {
        let status = try self.check(self.reply(of: service))
        precondition(Self.memory.usedBytes == 0, "what was counted is given back")
        return status
    }

    private func check(_ reply: HTTPReply) throws -> HTTPResponse.Status {
        let content = reply.body.flatMap(\.copiedBytes)
        // An element takes at least a byte of the request, and at most some 25 of the answer.
        precondition(content.count <= 32 * self.body.count + 4096, "an answer grows with its request")
        if reply.head.status == .ok, let status = self.check(file: content, reply.head) { return status }
        let jsonByteCount = reply.head.headerFields[.inferenceHeaderContentLength].map { Int($0) ?? -1 }
        let json = try JSONSerialization.jsonObject(with: Data(content.prefix(jsonByteCount ?? content.count)))
        guard let object = json as? [String: Any] else { preconditionFailure("an answer is an object") }
        if reply.head.status == .ok {
            precondition([nil, reply.head.headerFields[.contentType]].contains(self.accept?.rawValue), "as accepted")
            precondition(object["output"] is [String: Any], "an answer has an output")
            precondition(object["timing"] is [String: Any], "an answer has a timing")
        } else {
            let code = object["code"] as? String ?? ""
            precondition(Self.refusals[code] == reply.head.status.code, "\(code) goes with \(reply.head.status)")
            precondition(object["status"] as? Int == reply.head.status.code, "a refusal says its status")
            precondition(reply.head.headerFields[.contentType] == "application/problem+json", "a refusal is a problem")
            precondition((object["detail"] as? String)?.isEmpty == false, "a refusal has words")
        }
        return reply.head.status
    }

    /// Checks an answer that is no JSON and has none before it; `nil` where it is not such a one.
    private func check(file: [UInt8], _ head: HTTPResponse) -> HTTPResponse.Status? {
        let type = head.headerFields[.contentType] ?? ""
        guard type != MediaType.json.rawValue, head.headerFields[.inferenceHeaderContentLength] == nil else {
            return nil
        }
        precondition([nil, type].contains(self.accept?.rawValue), "as accepted")
        switch MediaType(rawValue: type) {
        case .npy:
            let header = file.withUnsafeBytes { try? NPYHeader($0) }
            precondition(header?.dataOffset.isMultiple(of: 64) == true, "numpy finds its elements aligned")
        case .safetensors:
            let header = file.withUnsafeBytes { try? SafetensorsHeader($0) }
            precondition(header?.entries.map(\.name) == ["output"], "an answer has an output")
        case .binary:
            let sizes = head.headerFields[.normserveShape]?.split(separator: ",").map { Int($0) ?? -1 } ?? [-1]
            let width = DataType(rawValue: head.headerFields[.normserveDataType] ?? "")?.byteWidth ?? -1
            precondition(sizes.reduce(width, *) == file.count, "bytes alone are told of in fields")
        default:
            preconditionFailure("there is no answer of the type \(type)")
        }
        return head.status
    }
}
