import HTTPCore
import HTTPTypes

/// What the head of a request to normalize says of the representations on both ways (API section 3).
struct NormalizeExchange {
    /// How the answer is written.
    let responseType: MediaType

    /// The length of the JSON at the start of the body in bytes; `nil` where all of the body is JSON.
    let jsonByteCount: Int?

    init(_ head: HTTPRequest) throws(HTTPProblem) {
        if let name = head.firstQueryParameter {
            throw HTTPProblem(.unknownMember, "unknown query parameter '\(name)'; the layer stands in the JSON")
        }
        let fields = RelevantFields(head.headerFields)
        let requestType = try Self.requestType(fields)
        guard let responseType = MediaType.negotiate(accept: fields.accept, preferred: requestType) else {
            throw HTTPProblem(.notAcceptable, "none of the types in Accept is available: \(MediaType.list)")
        }
        self.responseType = responseType
        self.jsonByteCount = try fields.jsonByteCount.map(Self.jsonByteCount)
        if requestType == .binary && self.jsonByteCount == nil {
            throw HTTPProblem(
                .invalidBinaryFraming,
                "\(MediaType.binary.rawValue) needs the field Inference-Header-Content-Length, "
                    + "which says how many bytes of JSON come before the tensors"
            )
        }
    }

    /// Up to this size of content the work takes a small fraction of a millisecond, hardly more than a change of
    /// threads may cost. A byte of JSON takes some thirty times as long as a byte of a blob, and a byte of a blob
    /// may become ten of JSON.
    var inlineLimit: Int {
        switch (self.jsonByteCount, self.responseType) {
        case (nil, _): 32 << 10
        case (let count?, .binary) where count <= 32 << 10: 512 << 10
        default: 8 << 10
        }
    }

    /// Where the body begins in its buffer, so that the first tensor after the JSON is aligned to a cache line.
    var bodyOffset: Int { -(self.jsonByteCount ?? 0) & 63 }

    private static func requestType(_ fields: RelevantFields) throws(HTTPProblem) -> MediaType {
        guard let value = fields.contentType else { return fields.jsonByteCount == nil ? .json : .binary }
        guard let type = MediaType(contentType: value) else {
            throw HTTPProblem(
                .unsupportedMediaType,
                "Content-Type is none of \(MediaType.list)",
                fields: [.accept: MediaType.list]
            )
        }
        return type
    }

    private static func jsonByteCount(_ value: String) throws(HTTPProblem) -> Int {
        guard let count = Int(decimalDigits: value) else {
            throw HTTPProblem(
                .invalidBinaryFraming,
                "Inference-Header-Content-Length is not a number of bytes; it must be digits, and no more than the body"
            )
        }
        return count
    }
}

/// The fields of a head that matter here, found in one pass; repeated ones are joined as lists (RFC 9110 §5.3).
private struct RelevantFields {
    var contentType: String?
    var accept: String?
    var jsonByteCount: String?

    init(_ fields: HTTPFields) {
        for field in fields {
            switch field.name {
            case .contentType: self.contentType = Self.joined(self.contentType, field.value)
            case .accept: self.accept = Self.joined(self.accept, field.value)
            case .inferenceHeaderContentLength: self.jsonByteCount = Self.joined(self.jsonByteCount, field.value)
            default: continue
            }
        }
    }

    private static func joined(_ list: String?, _ value: String) -> String {
        list.map { "\($0), \(value)" } ?? value
    }
}

extension HTTPRequest {
    /// The name of the first parameter in the target's query, if there is a query; at most 64 characters of it.
    fileprivate var firstQueryParameter: Substring? {
        guard let path, let query = path.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return path[query...].dropFirst().split(separator: "&").first?.prefix { $0 != "=" }.prefix(64)
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
