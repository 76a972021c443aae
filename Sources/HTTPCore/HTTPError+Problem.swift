import HTTPTypes

extension HTTPError {
    /// The refusal in the words of RFC 9110 and the codes of `openapi.yaml`.
    public var problem: HTTPProblem {
        switch self {
        case .malformedRequestLine: .malformed("the request-line is not method, target and version with single spaces")
        case .invalidTarget: .malformed("the request target is not valid for this method")
        case .invalidLineEnd: .malformed("a line of the head does not end with CR LF, or has a CR within")
        case .foldedField: .malformed("a header or trailer line begins with white space")
        case .invalidFieldName: .malformed("a field name is empty, not a token, or not followed by a colon")
        case .invalidFieldValue: .malformed("a field value contains a control character")
        case .repeatedContentType: .malformed("Content-Type appears more than once")

        case .unsupportedMethod:
            HTTPProblem(.notImplemented, code: "unsupported_method", detail: "the method is not implemented")
        case .unsupportedVersion:
            HTTPProblem(
                .httpVersionNotSupported,
                code: "unsupported_http_version",
                detail: "only HTTP/1.1 and HTTP/1.0 are spoken here"
            )
        case .requestLineTooLong:
            HTTPProblem(.uriTooLong, code: "uri_too_long", detail: "the request target is too long")
        case .headTooLarge:
            HTTPProblem(
                .requestHeaderFieldsTooLarge,
                code: "head_too_large",
                detail: "the header section is too large"
            )
        case .tooManyFields:
            HTTPProblem(.requestHeaderFieldsTooLarge, code: "too_many_fields", detail: "there are too many fields")
        case .trailersTooLarge:
            HTTPProblem(
                .requestHeaderFieldsTooLarge,
                code: "head_too_large",
                detail: "the trailer section is too large"
            )

        case .tooManyTrailerFields:
            HTTPProblem(
                .requestHeaderFieldsTooLarge,
                code: "head_too_large",
                detail: "the trailer section has too many fields"
            )

        case .missingHost: .invalidHost("an HTTP/1.1 request needs a Host")
        case .repeatedHost: .invalidHost("Host appears more than once")
        case .invalidHost: .invalidHost("the host is not a name or an address with an optional port")

        case .invalidContentLength: .invalidFraming("Content-Length is not a number")
        case .repeatedContentLength: .invalidFraming("Content-Length appears more than once")
        case .contentLengthWithTransferEncoding:
            .invalidFraming("Content-Length and Transfer-Encoding exclude each other")
        case .transferEncodingInHTTP10: .invalidFraming("HTTP/1.0 has no Transfer-Encoding")
        case .invalidTransferEncoding: .invalidFraming("chunked is not the last transfer coding, or not the only one")
        case .invalidChunkSize: .invalidFraming("a chunk size is not a hexadecimal number")
        case .invalidChunkExtension: .invalidFraming("a chunk extension contains a control character")
        case .invalidChunkEnd: .invalidFraming("a chunk does not end where its size says")
        case .chunkExtensionsTooLong: .invalidFraming("the chunk extensions are too long")

        case .unsupportedTransferCoding:
            HTTPProblem(
                .notImplemented,
                code: "unsupported_transfer_coding",
                detail: "chunked is the only transfer coding that is implemented"
            )
        case .unsupportedExpectation:
            HTTPProblem(
                .expectationFailed,
                code: "expectation_failed",
                detail: "100-continue is the only expectation that can be met"
            )
        case .unsupportedContentCoding:
            HTTPProblem(
                .unsupportedMediaType,
                code: "unsupported_content_coding",
                detail: "Content-Encoding is not gzip, deflate or identity, one of them and once",
                fields: [.acceptEncoding: "gzip, deflate"]
            )
        case .invalidContentCoding:
            HTTPProblem(
                .badRequest,
                code: "invalid_content_coding",
                detail:
                    "the content is not what its Content-Encoding says: it is corrupt, ends too early or goes on behind its end"
            )
        case .bodyTooLarge:
            HTTPProblem(
                .contentTooLarge,
                code: "body_too_large",
                detail: "the content is larger than the server allows"
            )

        case .headTimeout:
            HTTPProblem(.requestTimeout, code: "request_timeout", detail: "the head of the request took too long")
        case .bodyTimeout:
            HTTPProblem(.requestTimeout, code: "request_timeout", detail: "the content arrived too slowly")
        case .overloaded:
            HTTPProblem(
                .serviceUnavailable,
                code: "overloaded",
                detail: "the server has no room for this request at the moment",
                fields: [.retryAfter: "1"]
            )
        case .draining:
            HTTPProblem(
                .serviceUnavailable,
                code: "draining",
                detail: "the server is shutting down",
                fields: [.retryAfter: "1"]
            )
        }
    }
}

extension HTTPProblem {
    fileprivate static func malformed(_ detail: String) -> HTTPProblem {
        HTTPProblem(.badRequest, code: "malformed_request", detail: detail)
    }

    fileprivate static func invalidHost(_ detail: String) -> HTTPProblem {
        HTTPProblem(.badRequest, code: "invalid_host", detail: detail)
    }

    fileprivate static func invalidFraming(_ detail: String) -> HTTPProblem {
        HTTPProblem(.badRequest, code: "invalid_framing", detail: detail)
    }
}
