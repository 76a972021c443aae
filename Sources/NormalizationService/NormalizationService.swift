public import HTTPCore
public import HTTPTypes

/// Answers the API's requests; knows no sockets and no threads.
public struct NormalizationService: HTTPResponder {
    private let normalize: NormalizeEndpoint
    private let readiness: Readiness

    /// - Parameter maximumJSONDepth: how deep a request's JSON may nest.
    public init(maximumJSONDepth: Int, readiness: Readiness) {
        self.normalize = NormalizeEndpoint(maximumJSONDepth: maximumJSONDepth)
        self.readiness = readiness
    }

    public func admit(_ head: HTTPRequest) -> HTTPAdmission {
        do throws(HTTPProblem) {
            switch (try Route(head), head.method) {
            case (.normalize, .post): return try self.normalize.admit(head)
            default: return .receive(bodyOffset: 0, inlineLimit: .max)
            }
        } catch {
            return .refuse(self.reply(to: error))
        }
    }

    public func respond(to message: HTTPRequestMessage) -> HTTPReply {
        do throws(HTTPProblem) {
            let route = try Route(message.head)
            return switch (route, message.head.method) {
            case (_, .options): HTTPReply(head: HTTPResponse(status: .noContent, headerFields: [.allow: route.allow]))
            case (.normalize, _): try self.normalize.respond(to: message)
            case (.live, _): .health("live")
            case (.ready, _): try self.readiness.reply()
            case (.openAPI, _): .openAPI
            }
        } catch {
            return self.reply(to: error)
        }
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
