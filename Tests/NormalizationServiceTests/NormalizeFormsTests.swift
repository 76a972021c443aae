import AlignedMemory
import HTTPCore
import HTTPTypes
import TensorFormats
import Tensors
import Testing

@testable import NormalizationService

/// The forms of a request that are no JSON, where the service can be looked at more closely than over HTTP.
@Suite struct NormalizeFormsTests {
    private static let elements: [Float] = [1, 2, 3, 6]
    private static let data = elements.withUnsafeBytes { Array($0) }

    private static func npy() throws -> [UInt8] {
        NPYFile.header(.fp32, try Shape([1, 4])) + Self.data
    }

    private static func safetensors() throws -> [UInt8] {
        let tensor = try Tensor(uninitialized: .fp32, shape: Shape([1, 4]))
        tensor.bytes.copyBytes(from: Self.data)
        return SafetensorsWriter([("input", tensor)], metadata: [("type", "rms_norm"), ("axis", "-1")]).header
            + Self.data
    }

    @Test(
        "What came in is normalized where it is, and sent from there",
        arguments: [
            ("?type=rms_norm&axis=-1", MediaType.npy, 64), ("?type=rms_norm&axis=-1&shape=1,4", .binary, 64),
            ("", .safetensors, 8),
        ]
    )
    func nothingIsCopied(query: String, type: MediaType, alignment: Int) throws {
        let body =
            switch type {
            case .npy: try Self.npy()
            case .safetensors: try Self.safetensors()
            default: Self.data
            }
        let service = ServiceClient().service
        let head = HTTPRequest(
            method: .post,
            scheme: "http",
            authority: "a",
            path: "/normalize" + query,
            headerFields: [.contentType: type.rawValue]
        )
        guard case .receive(let offset, _) = service.admit(head) else {
            Issue.record("the request is admitted")
            return
        }
        let buffer = try AlignedBuffer(capacity: offset + body.count)
        let range = offset..<offset + body.count
        buffer[range].copyBytes(from: body)
        let now = MonotonicTime.now()
        let message = HTTPRequestMessage(
            head: head,
            buffer: buffer,
            bodyRange: range,
            firstByteAt: now,
            lastByteAt: now
        )
        let reply = service.respond(to: message)
        #expect(reply.head.status == .ok)
        guard case .buffer(let sent, let place) = reply.body.last else {
            Issue.record("the elements come last, from a buffer")
            return
        }
        #expect(sent === buffer && place.upperBound == range.upperBound && place.count == 16)
        #expect(place.lowerBound % alignment == 0)
    }

    @Test(arguments: [
        "?type=rms_norm&axis=-1&shape=1,4", "?type=rms_norm&axis=-1&shape=1,4&datatype=FP32&output_datatype=FP32",
        "?axis=-1&output_datatype=FP32&datatype=FP32&type=rms_norm&shape=1%2C4",
    ])
    func theOrderOfTheQueryDoesNotMatter(query: String) throws {
        let fields: HTTPFields = [.contentType: "application/octet-stream"]
        let answer = try ServiceClient().send(.post, "/normalize" + query, fields, body: Self.data)
        #expect(answer.fields[.normserveShape] == "1,4" && answer.fields[.normserveDataType] == "FP32")
        #expect(answer.fields[.serverTiming] != nil && answer.body.count == 16)
    }

    @Test func tensorsAreNoLargerThanAllowedInAnyForm() throws {
        var client = ServiceClient()
        client.maximumElementCount = 3
        for (query, type, body) in [
            ("?type=rms_norm&axis=-1", MediaType.npy, try Self.npy()), ("", .safetensors, try Self.safetensors()),
            ("?type=rms_norm&axis=-1&shape=1,4", .binary, Self.data),
            ("?type=rms_norm&axis=-1&shape=1,3&weight=1,2,3,4", .binary, Array(Self.data.prefix(12))),
        ] {
            let answer = try client.send(.post, "/normalize" + query, [.contentType: type.rawValue], body: body)
            #expect(try answer.problem.code == "too_many_elements", "\(type)")
        }
    }

    @Test func theHeaderOfSafetensorsIsNoLargerThanItNeedsToBe() throws {
        let header = "{" + String(repeating: " ", count: SafetensorsRequest.headerLimit) + "}"
        let file = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
        let answer = try ServiceClient().send(
            .post,
            "/normalize",
            [.contentType: "application/x-safetensors"],
            body: file
        )
        #expect(try answer.problem.code == "invalid_safetensors")
        #expect(try answer.problem.detail?.contains("at most 1048576 are allowed") == true)
    }

    @Test("A file is normalized as a request is", arguments: [FileNormalizer.Format.npy, .safetensors])
    func files(format: FileNormalizer.Format) throws {
        let file = format == .npy ? try Self.npy() : try Self.safetensors()
        let buffer = try AlignedBuffer(capacity: file.count)
        buffer[0..<file.count].copyBytes(from: file)
        #expect(FileNormalizer.Format(of: UnsafeRawBufferPointer(buffer[0..<file.count])) == format)
        let pieces = try FileNormalizer(threadCount: 1).normalize(
            buffer,
            0..<file.count,
            as: format,
            by: format == .npy ? .query("type=rms_norm&axis=-1") : .inFile,
            to: .npy
        )
        let answer = try ServiceClient().send(
            .post,
            "/normalize?type=rms_norm&axis=-1",
            [.contentType: "application/x-npy"],
            body: try Self.npy()
        )
        let written = pieces.flatMap { piece in
            switch piece {
            case .bytes(let bytes): bytes
            case .buffer(let buffer, let range): withExtendedLifetime(buffer) { Array(buffer[range]) }
            }
        }
        #expect(written == answer.body)
    }
}
