public import HTTPTypes

/// A refusal, with what RFC 9457 wants to know of it.
public struct HTTPProblem: Error, Sendable {
    public let status: HTTPResponse.Status

    /// A name from the closed list in `openapi.yaml`, for programs.
    public let code: String

    /// A sentence that says what was wrong and where, for people. It never repeats content, paths or addresses.
    public let detail: String

    /// A JSON Pointer (RFC 6901) to the member of the request that is to blame, where there is one.
    public let pointer: String?

    /// Fields that the status calls for: `Allow`, `Retry-After`, `Accept-Encoding`.
    public let fields: HTTPFields

    /// The limit that the responder found to be reached. Those of the server itself are counted where they are enforced.
    public let limit: Limit?

    public init(
        _ status: HTTPResponse.Status,
        code: String,
        detail: String,
        pointer: String? = nil,
        fields: HTTPFields = [:],
        limit: Limit? = nil
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.fields = fields
        self.limit = limit
    }
}
