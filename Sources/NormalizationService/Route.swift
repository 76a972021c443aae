import FoundationEssentials
import HTTPCore
import HTTPTypes

/// A path that the service answers, and by which methods. `openapi.yaml` describes the same; a test compares them.
enum Route: String, CaseIterable {
    case normalize = "/normalize"
    case layerTypes = "/layer-types"
    case live = "/health/live"
    case ready = "/health/ready"
    case metrics = "/metrics"
    case openAPI = "/openapi.yaml"

    /// Makes sure that the path answers `method`; 405 otherwise.
    func check(_ method: HTTPRequest.Method) throws(HTTPProblem) {
        guard !self.methods.contains(method) else { return }
        let allowed = Self.list(self.methods)
        // RFC 9110 §15.5.6: Allow lists what would do.
        throw HTTPProblem(
            .methodNotAllowed,
            "\(self.rawValue) does not answer \(method); it answers \(allowed)",
            fields: [.allow: allowed]
        )
    }

    /// The methods that the path answers.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .normalize: [.post, .options]
        case .layerTypes, .live, .ready, .metrics, .openAPI: [.get, .head, .options]
        }
    }

    /// All that any path answers.
    static let allMethods: [HTTPRequest.Method] = [.get, .head, .post, .options]

    /// The value of an `Allow` field.
    static func list(_ methods: [HTTPRequest.Method]) -> String {
        methods.map(\.rawValue).joined(separator: ", ")
    }

    /// The route of a target in origin-form, the query left out.
    init?(target: String) {
        if let route = Self(rawValue: target) {
            self = route
            return
        }
        let path = target.prefix { $0 != "?" }
        // RFC 3986 §2.3: an encoded unreserved character means the same as the character. Segments are decoded one by
        // one, so that an encoded slash never becomes a delimiter.
        var segments: [String] = []
        for segment in path.split(separator: "/", omittingEmptySubsequences: false) {
            guard
                let decoded = URLComponents(string: "/\(segment)", encodingInvalidCharacters: false)?.path.dropFirst(),
                !decoded.contains("/")
            else { return nil }
            segments.append(String(decoded))
        }
        self.init(rawValue: segments.joined(separator: "/"))
    }
}
