import HTTPCore
import HTTPTypes

/// A path that the service answers, and by which methods. What stands in braces is a parameter, one whole segment.
///
/// `openapi.yaml` describes the same; a test compares them.
enum Route: String, CaseIterable {
    case normalize = "/normalize"
    case layerTypes = "/layer-types"
    case layers = "/layers"
    case layer = "/layers/{name}"
    case layerVersion = "/layers/{name}/versions/{version}"
    case live = "/health/live"
    case ready = "/health/ready"
    case metrics = "/metrics"
    case openAPI = "/openapi.yaml"

    /// Makes sure that the path answers `method`; 405 otherwise.
    func check(_ method: HTTPRequest.Method) throws(HTTPProblem) {
        try Self.check(method, isOneOf: self.methods, of: self.rawValue)
    }

    /// Makes sure that `method` is among those that `path` answers; 405 otherwise.
    static func check(
        _ method: HTTPRequest.Method,
        isOneOf methods: [HTTPRequest.Method],
        of path: String
    ) throws(HTTPProblem) {
        guard !methods.contains(method) else { return }
        let allowed = Self.list(methods)
        // RFC 9110 §15.5.6: Allow lists what would do.
        throw HTTPProblem(
            .methodNotAllowed,
            "\(path) does not answer \(method); it answers \(allowed)",
            fields: [.allow: allowed]
        )
    }

    /// The methods that the path answers.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .normalize: [.post, .options]
        case .layer: [.get, .head, .put, .delete, .options]
        case .layerVersion: [.get, .head, .delete, .options]
        case .layerTypes, .layers, .live, .ready, .metrics, .openAPI: [.get, .head, .options]
        }
    }

    /// All that any path answers.
    static let allMethods: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .options]

    /// The value of an `Allow` field.
    static func list(_ methods: [HTTPRequest.Method]) -> String {
        methods.map(\.rawValue).joined(separator: ", ")
    }
}
