public import HTTPCore
public import HTTPTypes

/// Answers the API's requests; knows no sockets and no threads.
public struct NormalizationService: HTTPResponder {
    /// What the operator has a say in.
    public struct Configuration: Sendable {
        /// How deep a request's JSON may nest.
        public var maximumJSONDepth = 64

        /// How many elements one tensor may have: the input, a parameter, the output.
        public var maximumElementCount = 1 << 28

        /// How many threads may share one large tensor.
        public var threadCount = 1

        /// What the metrics say is running.
        public var version = ""

        public init() {}
    }

    private let configuration: Configuration
    private let authorization: Authorization
    private let readiness: Readiness
    private let metrics: HTTPMetrics
    private let normalize: NormalizeEndpoint
    private let layers: LayersEndpoint
    private let openInference: OpenInferenceService

    /// - Parameters:
    ///   - metrics: what the server counts, too.
    ///   - layers: those that requests call by their names.
    public init(
        _ configuration: Configuration,
        authorization: Authorization,
        readiness: Readiness,
        metrics: HTTPMetrics,
        layers: LayerRepository = LayerRepository()
    ) {
        self.configuration = configuration
        self.authorization = authorization
        self.readiness = readiness
        self.metrics = metrics
        self.normalize = NormalizeEndpoint(
            maximumJSONDepth: configuration.maximumJSONDepth,
            maximumElementCount: configuration.maximumElementCount,
            threadCount: configuration.threadCount,
            layers: layers
        )
        self.layers = LayersEndpoint(
            maximumJSONDepth: configuration.maximumJSONDepth,
            maximumElementCount: configuration.maximumElementCount,
            layers: layers
        )
        self.openInference = OpenInferenceService(
            layers: layers,
            readiness: readiness,
            infer: InferEndpoint(
                maximumJSONDepth: configuration.maximumJSONDepth,
                maximumElementCount: configuration.maximumElementCount,
                threadCount: configuration.threadCount
            ),
            version: configuration.version
        )
    }

    public func admit(_ head: HTTPRequest) -> HTTPAdmission {
        do throws(HTTPProblem) {
            if InferenceRoute.isPrefix(ofTarget: head.path ?? "") { return try self.admitInference(head) }
            let target = self.target(of: head)
            let route = target?.route
            // Before anything else: who has no key learns nothing of what is here.
            try self.authorization.check(head, for: route)
            // RFC 9110 §9.3.7: what the server as a whole can do.
            guard head.method != .options || head.path != "*" else { return .answer(.allowing(Route.allMethods)) }
            guard let target, let route else {
                throw .nothingHere
            }
            try route.check(head.method)
            return switch (route, head.method) {
            case (_, .options): .answer(.allowing(route.methods))
            case (.normalize, _): try self.normalize.admit(head)
            case (.layerTypes, _): .answer(.layerTypes)
            case (.layers, _), (.layer, _), (.layerVersion, _): try self.layers.admit(head, target)
            case (.live, _): .answer(.health("live"))
            case (.ready, _): .answer(try self.readiness.reply())
            case (.metrics, _): .answer(.metrics(self.metrics, version: self.configuration.version))
            case (.openAPI, _): .answer(.openAPI)
            }
        } catch {
            return .answer(self.reply(to: error))
        }
    }

    /// What has a use for content, or takes its time, comes this far.
    public func respond(to message: HTTPRequestMessage) -> HTTPReply {
        var clock = StageClock(message)
        do throws(HTTPProblem) {
            if InferenceRoute.isPrefix(ofTarget: message.head.path ?? "") {
                return try self.respondToInference(message, &clock)
            }
            guard let target = self.target(of: message.head), target.route != .normalize else {
                return try self.normalize.normalize(message, &clock)
            }
            return try self.layers.respond(to: message, target)
        } catch {
            var reply = self.reply(to: error)
            reply.head.headerFields[.serverTiming] = clock.finishEncoding().serverTiming
            return reply
        }
    }

    private func admitInference(_ head: HTTPRequest) throws(HTTPProblem) -> HTTPAdmission {
        let route = InferenceRoute(target: head.path ?? "")
        try self.authorization.check(head, forInference: route)
        guard let route else { throw .nothingHere }
        return try self.openInference.admit(head, route)
    }

    private func respondToInference(
        _ message: HTTPRequestMessage,
        _ clock: inout StageClock
    ) throws(HTTPProblem) -> HTTPReply {
        guard let route = InferenceRoute(target: message.head.path ?? "") else { throw .nothingHere }
        do throws(HTTPProblem) {
            return try self.openInference.respond(to: message, route, &clock)
        } catch {
            throw error.forInferenceClients
        }
    }

    /// Every refusal, the server's own included, is worded and counted here.
    public func reply(to problem: HTTPProblem) -> HTTPReply {
        self.metrics.countProblem(code: problem.code)
        problem.limit.map { self.metrics[$0].add() }
        return HTTPReply(problem)
    }

    private func target(of head: HTTPRequest) -> RoutedTarget? {
        let target = RoutedTarget(head.path ?? "")
        return target?.route == .metrics && self.authorization.metricsAccess == .off ? nil : target
    }
}

extension HTTPProblem {
    fileprivate static var nothingHere: HTTPProblem {
        HTTPProblem(.notFound, "there is nothing at this path; GET /openapi.yaml describes the API")
    }
}

extension Readiness {
    fileprivate func reply() throws(HTTPProblem) -> HTTPReply {
        guard !self.isDraining else { throw HTTPError.draining.problem }
        return .health("ready")
    }
}

extension HTTPReply {
    static func allowing(_ methods: [HTTPRequest.Method]) -> HTTPReply {
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
