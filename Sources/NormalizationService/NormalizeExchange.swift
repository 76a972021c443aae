import HTTPCore
import HTTPTypes

/// What the head of a request to normalize says of the representations on both ways (API section 3).
struct NormalizeExchange {
    /// How the answer is written.
    let responseType: MediaType

    /// The length of the JSON at the start of the body in bytes; `nil` where all of the body is JSON.
    let jsonByteCount: Int?

    init(_ head: HTTPRequest) throws(HTTPProblem) {
        let fields = head.headerFields
        if let query = head.path?.firstIndex(of: "?") {
            let name = head.path?[query...].dropFirst().prefix { $0 != "=" && $0 != "&" } ?? ""
            throw HTTPProblem(
                .unknownMember,
                "unknown query parameter '\(name.prefix(64))'; the layer stands in the JSON"
            )
        }
        try Self.checkContentCoding(fields)
        let stated = fields[.inferenceHeaderContentLength]
        let requestType = try Self.requestType(fields, isFramed: stated != nil)
        guard let responseType = MediaType.negotiate(accept: fields[.accept], preferred: requestType) else {
            throw HTTPProblem(.notAcceptable, "none of the types in Accept is available: \(MediaType.list)")
        }
        self.responseType = responseType
        self.jsonByteCount = try stated.map(Self.jsonByteCount)
        if requestType == .binary && stated == nil {
            throw HTTPProblem(
                .invalidBinaryFraming,
                "\(MediaType.binary.rawValue) needs the field Inference-Header-Content-Length, "
                    + "which says how many bytes of JSON come before the tensors"
            )
        }
    }

    /// Where the body begins in its buffer, so that the first tensor after the JSON is aligned to a cache line.
    var bodyOffset: Int { -(self.jsonByteCount ?? 0) & 63 }

    private static func requestType(_ fields: HTTPFields, isFramed: Bool) throws(HTTPProblem) -> MediaType {
        guard let value = fields[.contentType] else { return isFramed ? .binary : .json }
        guard let type = MediaType(contentType: value) else {
            throw HTTPProblem(
                .unsupportedMediaType,
                "Content-Type is none of \(MediaType.list)",
                fields: [.accept: MediaType.list]
            )
        }
        return type
    }

    private static func checkContentCoding(_ fields: HTTPFields) throws(HTTPProblem) {
        guard let coding = fields[.contentEncoding], coding.lowercased() != "identity" else { return }
        throw HTTPProblem(
            .unsupportedContentCoding,
            "Content-Encoding is not identity, the only coding that is read",
            fields: [.acceptEncoding: "identity"]
        )
    }

    private static func jsonByteCount(_ value: String) throws(HTTPProblem) -> Int {
        // Only digits: Int("+5") would be 5.
        guard !value.isEmpty, value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let count = Int(value)
        else {
            throw HTTPProblem(
                .invalidBinaryFraming,
                "Inference-Header-Content-Length is not a number of bytes; it must be digits only"
            )
        }
        return count
    }
}

extension HTTPField.Name {
    static let inferenceHeaderContentLength = Self(knownToBeValid: "Inference-Header-Content-Length")
    static let serverTiming = Self(knownToBeValid: "Server-Timing")

    private init(knownToBeValid name: String) {
        guard let name = Self(name) else { preconditionFailure("\(name) is a token") }
        self = name
    }
}
