import HTTPCore
import HTTPTypes

/// What the head of a request to normalize says of the representations on both ways (API section 3).
struct NormalizeExchange {
    /// How the request is written.
    enum RequestForm {
        /// JSON; `jsonByteCount` is its length at the start of the body in bytes, `nil` where it is all of the body.
        case document(jsonByteCount: Int?)
        /// A file of numpy's; the query has the layer.
        case npy(NormalizeQuery)
        /// A file of tensors, which has all that there is to say.
        case safetensors
        /// Nothing but the bytes of a tensor; the query has the rest.
        case raw(RawTensorDescription, NormalizeQuery)
    }

    let request: RequestForm

    /// How the answer is written.
    let responseType: MediaType

    init(_ head: HTTPRequest) throws(HTTPProblem) {
        let fields = RelevantFields(head.headerFields)
        let requestType = try Self.requestType(fields)
        self.request = try Self.requestForm(requestType, fields, try QueryParameters(target: head.path ?? ""))
        guard let responseType = MediaType.negotiate(accept: fields.accept, preferred: requestType) else {
            throw HTTPProblem(.notAcceptable, "none of the types in Accept is available: \(MediaType.list)")
        }
        self.responseType = responseType
    }

    /// Whether JSON stands before the bytes of a binary answer: bytes alone are answered with bytes alone.
    var isAnswerFramed: Bool {
        if case .raw = self.request { false } else { true }
    }

    /// Up to this size of content the work takes a small fraction of a millisecond, hardly more than a change of
    /// threads may cost. A byte of JSON takes some thirty times as long as a byte of a blob, and a byte of a blob
    /// may become ten of JSON.
    var inlineLimit: Int {
        switch self.request {
        case .document(nil): 32 << 10
        case .document(let count?) where count > 32 << 10: 8 << 10
        case _ where self.responseType == .json: 8 << 10
        // The metadata may be JSON for the most part.
        case .safetensors: 64 << 10
        case .document, .npy, .raw: 512 << 10
        }
    }

    /// Where the body begins in its buffer, so that the first tensor after the JSON is aligned to a cache line. numpy
    /// aligns its arrays itself; those of safetensors are aligned to their elements at least.
    var bodyOffset: Int {
        guard case .document(let jsonByteCount?) = self.request else { return 0 }
        return -jsonByteCount & 63
    }

    private static func requestForm(
        _ type: MediaType,
        _ fields: RelevantFields,
        _ query: QueryParameters
    ) throws(HTTPProblem) -> RequestForm {
        let jsonByteCount = try fields.jsonByteCount.map(Self.jsonByteCount)
        switch type {
        case .binary where jsonByteCount == nil && !query.items.isEmpty:
            var query = query
            let description = try RawTensorDescription(&query)
            return .raw(description, try NormalizeQuery(query))
        case .json, .binary:
            if let name = query.items.first?.name {
                throw QueryParameters.unknownParameter(name, "; the layer stands in the JSON")
            }
            guard type == .json || jsonByteCount != nil else {
                throw HTTPProblem(
                    .invalidBinaryFraming,
                    "\(MediaType.binary.rawValue) needs the field Inference-Header-Content-Length, "
                        + "which says how many bytes of JSON come before the tensors, or a query with the layer and the shape"
                )
            }
            return .document(jsonByteCount: jsonByteCount)
        case .npy, .safetensors:
            guard jsonByteCount == nil else {
                throw HTTPProblem(
                    .invalidBinaryFraming,
                    "Inference-Header-Content-Length does not go with \(type.rawValue), which has no JSON before it"
                )
            }
            if type == .npy {
                return .npy(try NormalizeQuery(query))
            }
            if let name = query.items.first?.name {
                throw QueryParameters.unknownParameter(name, "; the layer stands in the metadata of the file")
            }
            return .safetensors
        }
    }

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

extension HTTPField.Name {
    static let inferenceHeaderContentLength = Self(knownToBeValid: "Inference-Header-Content-Length")
    /// How the tensor is made that an answer holds nothing but the elements of: `8,256`, and `FP32`.
    static let normserveShape = Self(knownToBeValid: "Normserve-Shape")
    static let normserveDataType = Self(knownToBeValid: "Normserve-Datatype")
    /// σ₁ of spectral_norm, where the answer itself has no place for it.
    static let normserveSigma = Self(knownToBeValid: "Normserve-Sigma")
    static let serverTiming = Self(knownToBeValid: "Server-Timing")

    private init(knownToBeValid name: String) {
        guard let name = Self(name) else { preconditionFailure("\(name) is a token") }
        self = name
    }
}
