import HTTPCore
import HTTPTypes
import TensorFormats

/// Answers all below `/v2`: to the Open Inference Protocol every registered layer is a model.
///
/// Statuses and words are Triton's where its clients may look at them; errors are problem documents as everywhere, whose
/// `error` is what these clients read.
struct OpenInferenceService {
    let layers: LayerRepository
    let readiness: Readiness
    let infer: InferEndpoint
    let version: String

    private let availability = ModelAvailability()

    init(layers: LayerRepository, readiness: Readiness, infer: InferEndpoint, version: String) {
        self.layers = layers
        self.readiness = readiness
        self.infer = infer
        self.version = version
    }

    func admit(_ head: HTTPRequest, _ route: InferenceRoute) throws(HTTPProblem) -> HTTPAdmission {
        try Route.check(head.method, isOneOf: route.methods, of: route.template ?? "this path")
        guard head.method != .options else { return .answer(.allowing(route.methods)) }
        switch route {
        case .model(.inference, let name, let version):
            _ = try self.readyLayer(name, version)
            let exchange = try InferExchange(head)
            return .receive(bodyOffset: exchange.bodyOffset, inlineLimit: exchange.inlineLimit)
        case .unload: return .receive(bodyOffset: 0, inlineLimit: 32 << 10)
        // Reading files takes its time, with content or without, and so does telling of all models.
        case .load, .index, .statistics: return .receive(bodyOffset: 0, inlineLimit: -1)
        default:
            return .answer(try self.answer(route))
        }
    }

    func respond(
        to message: HTTPRequestMessage,
        _ route: InferenceRoute,
        _ clock: inout StageClock
    ) throws(HTTPProblem) -> HTTPReply {
        switch route {
        case .model(.inference, let name, let version):
            return try self.infer.infer(message, with: try self.readyLayer(name, version), &clock)
        case .statistics: return .statistics(self.layers.all().flatMap(\.layers))
        case .index: return try self.index(ModelControl(message, maximumDepth: self.infer.maximumJSONDepth))
        case .load(let name):
            return try self.load(name, ModelControl(message, maximumDepth: self.infer.maximumJSONDepth))
        case .unload(let name):
            _ = try ModelControl(message, maximumDepth: self.infer.maximumJSONDepth)
            self.availability.unload(try self.versions(of: name).latest, in: self.layers)
            return .done
        default: preconditionFailure("what has no use for content is answered by its head")
        }
    }

    /// What can be answered without content.
    private func answer(_ route: InferenceRoute) throws(HTTPProblem) -> HTTPReply {
        switch route {
        case .server: return .serverMetadata(version: self.version)
        case .live: return .flag("live")
        case .ready:
            guard !self.readiness.isDraining else { throw HTTPError.draining.problem }
            return .flag("ready")
        case .unsupported(let feature): throw HTTPProblem(.notSupported, feature.rawValue)
        case .model(let resource, let name, let version): return try self.answer(resource, name, version)
        case .statistics, .index, .load, .unload: preconditionFailure("these are left to a worker")
        }
    }

    private func answer(
        _ resource: InferenceRoute.ModelResource,
        _ name: String,
        _ version: String?
    ) throws(HTTPProblem) -> HTTPReply {
        let versions = try self.versions(of: name)
        let layer = try self.layer(version, of: versions)
        switch resource {
        case .metadata: return .metadata(layer, self.infer.signature(of: layer), of: versions)
        case .configuration: return .configuration(layer, self.infer.signature(of: layer))
        case .statistics: return .statistics(version == nil ? versions.layers : [layer])
        case .ready:
            try self.checkReadiness(of: layer)
            return .flag("ready", ofModel: layer.name.text)
        case .inference: preconditionFailure("this is answered when its content is there")
        }
    }
}

extension OpenInferenceService {
    private func versions(of name: String) throws(HTTPProblem) -> LayerVersions {
        guard let known = LayerName(name), let versions = self.layers.versions(of: known) else {
            // No more of it than a name may have, and nothing that a terminal would take for a command.
            let shown = name.unicodeScalars.prefix(128).map { $0.escaped(asASCII: true) }.joined()
            throw HTTPProblem(.unknownModel, "Request for unknown model: '\(shown)' is not found")
        }
        return versions
    }

    /// The version that is meant, the latest for `nil`; whether it is ready or not.
    private func layer(_ version: String?, of versions: LayerVersions) throws(HTTPProblem) -> RegisteredLayer {
        guard let version else { return versions.latest }
        guard let known = LayerVersion(version), let layer = versions[known] else {
            throw HTTPProblem(
                .unknownLayer,
                "Request for unknown model: '\(versions.latest.name)' version \(version.prefix(20)) is not found"
            )
        }
        return layer
    }

    private func readyLayer(_ name: String, _ version: String?) throws(HTTPProblem) -> RegisteredLayer {
        let layer = try self.layer(version, of: self.versions(of: name))
        try self.checkReadiness(of: layer)
        return layer
    }

    private func checkReadiness(of layer: RegisteredLayer) throws(HTTPProblem) {
        guard self.availability.isReady(layer) else {
            throw HTTPProblem(
                .modelNotReady,
                "model '\(layer.name)' version \(layer.version) is not ready: it was unloaded, and not loaded again"
            )
        }
    }

    private func index(_ control: ModelControl) -> HTTPReply {
        let entries = self.layers.all().flatMap(\.layers).map { ($0, self.availability.isReady($0)) }
        return .index(control.wantsReadyOnly ? entries.filter(\.1) : entries)
    }

    private func load(_ name: String, _ control: ModelControl) throws(HTTPProblem) -> HTTPReply {
        guard !control.bringsConfiguration else {
            throw HTTPProblem(
                .notSupported,
                "a model is loaded as it was registered; PUT /layers/{name} registers a new version",
                pointer: "/parameters"
            )
        }
        let faults: [LayerFault]
        do throws(LayerRepositoryFailure) {
            faults = try self.layers.reload(elementLimit: self.infer.maximumElementCount)
        } catch {
            throw HTTPProblem(.storageFailed, error.description)
        }
        let latest = try self.versions(of: name).latest
        // What else is not used is known since the start, or logged with the next SIGHUP.
        for fault in faults where fault.layer == name {
            guard let version = fault.version.flatMap({ LayerVersion($0) }), version >= latest.version else { continue }
            throw HTTPProblem(.storageFailed, "model '\(name)' version \(version) is not used: \(fault.reason)")
        }
        self.availability.load(latest.name)
        return .done
    }
}
