import HTTPCore
import HTTPTypes
import TensorFormats

extension HTTPReply {
    /// A small JSON document.
    static func json(_ status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter) -> Void) -> HTTPReply {
        var writer = JSONWriter()
        write(&writer)
        return HTTPReply(
            head: HTTPResponse(status: status, headerFields: [.contentType: MediaType.json.rawValue]),
            body: [.bytes(writer.bytes)]
        )
    }

    /// An RFC 9457 problem document.
    init(_ problem: HTTPProblem) {
        self = .json(problem.status) { writer in
            writer.object { writer in
                writer.member("type", "about:blank")
                writer.member("title", problem.status.reasonPhrase)
                writer.member("status", problem.status.code)
                writer.member("code", problem.code)
                writer.member("detail", problem.detail)
                if let pointer = problem.pointer {
                    writer.member("pointer", pointer)
                }
                writer.member("error", problem.detail)
            }
        }
        self.head.headerFields[.contentType] = "application/problem+json"
        // Clients of the Open Inference Protocol decode no errors, even if they say that they take codings.
        self.mayBeCoded = false
        for field in problem.fields {
            self.head.headerFields.append(field)
        }
    }
}

extension JSONWriter {
    mutating func member(_ name: String, _ value: String) {
        self.name(name)
        self.string(value)
    }

    mutating func member(_ name: String, _ value: Int) {
        self.name(name)
        self.integer(value)
    }
}
