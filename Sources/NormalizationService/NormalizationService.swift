public import HTTPCore
public import HTTPTypes

/// Answers the API's requests; knows no sockets and no threads.
public struct NormalizationService: HTTPResponder {
    private let normalize: NormalizeEndpoint
    private let readiness: Readiness

    /// - Parameters:
    ///   - maximumJSONDepth: how deep a request's JSON may nest.
    ///   - threadCount: how many threads may share one large tensor.
    public init(maximumJSONDepth: Int, threadCount: Int, readiness: Readiness) {
        self.normalize = NormalizeEndpoint(maximumJSONDepth: maximumJSONDepth, threadCount: threadCount)
        self.readiness = readiness
    }

    public func admit(_ head: HTTPRequest) -> HTTPAdmission {
        // RFC 9110 §9.3.7: what the server as a whole can do.
        guard head.method != .options || head.path != "*" else { return .answer(.allowing(Route.allMethods)) }
        do throws(HTTPProblem) {
            let route = try Route(head)
            return switch (route, head.method) {
            case (_, .options): .answer(.allowing(route.methods))
            case (.normalize, _): try self.normalize.admit(head)
            case (.layerTypes, _): .answer(.layerTypes)
            case (.live, _): .answer(.health("live"))
            case (.ready, _): .answer(try self.readiness.reply())
            case (.openAPI, _): .answer(.openAPI)
            }
        } catch {
            return .answer(self.reply(to: error))
        }
    }

    /// Only `/normalize` has a use for content, and so comes this far.
    public func respond(to message: HTTPRequestMessage) -> HTTPReply {
        self.normalize.respond(to: message)
    }

    public func reply(to problem: HTTPProblem) -> HTTPReply {
        HTTPReply(problem)
    }
}

extension Readiness {
    fileprivate func reply() throws(HTTPProblem) -> HTTPReply {
        guard !self.isDraining else { throw HTTPError.draining.problem }
        return .health("ready")
    }
}

extension HTTPReply {
    fileprivate static func allowing(_ methods: [HTTPRequest.Method]) -> HTTPReply {
        HTTPReply(head: HTTPResponse(status: .noContent, headerFields: [.allow: Route.list(methods)]))
    }

    fileprivate static func health(_ status: String) -> HTTPReply {
        .json { writer in
            writer.object { writer in writer.member("status", status) }
        }
    }

    /// The API's description, which is part of the executable.
    fileprivate static var openAPI: HTTPReply {
        HTTPReply(
            head: HTTPResponse(status: .ok, headerFields: [.contentType: "application/yaml"]),
            body: [.bytes(PackageResources.openapi_yaml)]
        )
    }
}
