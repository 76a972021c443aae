import HTTPTypes

/// A path of the Open Inference Protocol, and by which methods it is answered.
enum InferenceRoute: Equatable {
    case server
    case live
    case ready
    /// The statistics of all models.
    case statistics
    /// The list of models and versions.
    case index
    case load(model: String)
    case unload(model: String)
    /// Something of one model, or of one of its versions.
    case model(ModelResource, name: String, version: String?)
    /// What Triton has and this server has not.
    case unsupported(Feature)

    /// What there is of a model, by the end of its path.
    enum ModelResource: String, CaseIterable {
        case metadata = ""
        case ready = "/ready"
        case configuration = "/config"
        case statistics = "/stats"
        case inference = "/infer"
    }

    /// An extension of the protocol that is not here.
    enum Feature: String {
        case sharedMemory = "shared memory is not available here; send tensors in the body"
        case tracing = "tracing is not available here; Server-Timing and the parameters of each answer tell its time"
        case logging = "the log is set up when the server is started"
        case generation = "a normalization layer generates nothing; POST to infer"
    }

    /// Whether the path belongs to the protocol, or would if there were such a path.
    static func isPrefix(ofTarget target: String) -> Bool {
        let path = target.utf8.prefix(4)
        if path.starts(with: "/v2".utf8) {
            return path.count == 3 || path.last == UInt8(ascii: "/") || path.last == UInt8(ascii: "?")
        }
        // RFC 3986 §2.3: "v" and "2" may be encoded.
        return path.contains(UInt8(ascii: "%")) && PathSegments.decoded(from: target)?.first == "v2"
    }

    /// The methods that the path answers.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .server, .live, .ready, .statistics: [.get, .head, .options]
        case .model(.inference, _, _), .index, .load, .unload: [.post, .options]
        case .model: [.get, .head, .options]
        case .unsupported: [.get, .head, .post, .options]
        }
    }

    /// The path as `openapi.yaml` lists it; `nil` for what is not there.
    var template: String? {
        switch self {
        case .server: "/v2"
        case .live: "/v2/health/live"
        case .ready: "/v2/health/ready"
        case .statistics: "/v2/models/stats"
        case .index: "/v2/repository/index"
        case .load: "/v2/repository/models/{model}/load"
        case .unload: "/v2/repository/models/{model}/unload"
        case .model(let resource, _, let version):
            "/v2/models/{model}" + (version == nil ? "" : "/versions/{version}") + resource.rawValue
        case .unsupported: nil
        }
    }

    /// One of each, for whoever lists them.
    static let all: [InferenceRoute] =
        [.server, .live, .ready, .statistics, .index, .load(model: "m"), .unload(model: "m")]
        + ModelResource.allCases.flatMap { resource in
            [.model(resource, name: "m", version: nil), .model(resource, name: "m", version: "1")]
        }
}

extension InferenceRoute {
    /// The route of a target in origin-form, the query left out; `nil` if there is none.
    init?(target: String) {
        guard let path = PathSegments.decoded(from: target), path.first == "v2" else { return nil }
        let rest = path.dropFirst()
        let route: InferenceRoute? =
            switch rest.first {
            case nil: .server
            case "health": Self.health(rest.dropFirst())
            case "models": Self.models(rest.dropFirst())
            case "repository": Self.repository(rest.dropFirst())
            case "systemsharedmemory", "cudasharedmemory": rest.count > 1 ? .unsupported(.sharedMemory) : nil
            case "trace": rest.elementsEqual(["trace", "setting"]) ? .unsupported(.tracing) : nil
            case "logging": rest.count == 1 ? .unsupported(.logging) : nil
            default: nil
            }
        guard let route else { return nil }
        self = route
    }

    private static func health(_ path: ArraySlice<String>) -> InferenceRoute? {
        switch (path.count, path.first) {
        case (1, "live"): .live
        case (1, "ready"): .ready
        default: nil
        }
    }

    private static func models(_ path: ArraySlice<String>) -> InferenceRoute? {
        guard let name = path.first, !name.isEmpty else { return nil }
        // As in Triton, no model is called so.
        if path.count == 1, name == "stats" { return .statistics }
        var rest = path.dropFirst()
        var version: String?
        if rest.first == "versions" {
            // As in Triton, a version is digits.
            guard let digits = rest.dropFirst().first, !digits.isEmpty, digits.utf8.allSatisfy(\.isDecimalDigit) else {
                return nil
            }
            version = digits
            rest = rest.dropFirst(2)
        }
        guard let last = rest.first else { return .model(.metadata, name: name, version: version) }
        switch (last, rest.count) {
        case ("infer", 1): return .model(.inference, name: name, version: version)
        case ("ready", 1): return .model(.ready, name: name, version: version)
        case ("config", 1): return .model(.configuration, name: name, version: version)
        case ("stats", 1): return .model(.statistics, name: name, version: version)
        case ("generate", 1), ("generate_stream", 1): return .unsupported(.generation)
        case ("trace", 2): return version == nil && rest.last == "setting" ? .unsupported(.tracing) : nil
        default: return nil
        }
    }

    private static func repository(_ path: ArraySlice<String>) -> InferenceRoute? {
        if path.elementsEqual(["index"]) { return .index }
        guard path.count == 3, path.first == "models", let name = path.dropFirst().first, !name.isEmpty else {
            return nil
        }
        switch path.last {
        case "load": return .load(model: name)
        case "unload": return .unload(model: name)
        default: return nil
        }
    }
}

extension UInt8 {
    fileprivate var isDecimalDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }
}
