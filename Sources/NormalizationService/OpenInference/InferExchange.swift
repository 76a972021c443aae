import HTTPCore
import HTTPTypes

/// What the head of a request to infer says of its body.
///
/// `Content-Type` says nothing: the protocol's clients send none, or that of a form. Neither does `Accept`: the JSON
/// says how the answer is wanted.
struct InferExchange {
    /// The length of the JSON at the start of the body in bytes; `nil` where all of the body is JSON, 0 where none of
    /// it is.
    let jsonByteCount: Int?

    init(_ head: HTTPRequest) throws(HTTPProblem) {
        var jsonByteCount: Int?
        for field in head.headerFields where field.name == .inferenceHeaderContentLength {
            guard jsonByteCount == nil, let count = Int(decimalDigits: field.value) else {
                throw HTTPProblem(
                    .invalidBinaryFraming,
                    "Inference-Header-Content-Length must be there once, as digits, and no more than the body"
                )
            }
            jsonByteCount = count
        }
        self.jsonByteCount = jsonByteCount
    }

    /// As that of a request to normalize, but less for blobs: whether they are answered as JSON, which takes thirty times
    /// as long, is not known before the body is read.
    var inlineLimit: Int {
        switch self.jsonByteCount {
        case nil: 32 << 10
        case let count? where count <= 32 << 10: 128 << 10
        default: 8 << 10
        }
    }

    /// Where the body begins in its buffer, so that the bytes after the JSON are aligned to a cache line.
    var bodyOffset: Int { -(self.jsonByteCount ?? 0) & 63 }
}
