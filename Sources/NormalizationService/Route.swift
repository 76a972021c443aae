import FoundationEssentials
import HTTPCore
import HTTPTypes

/// A path that the service answers, and by which methods. `openapi.yaml` describes the same; a test compares them.
enum Route: String, CaseIterable {
    case normalize = "/normalize"
    case layerTypes = "/layer-types"
    case live = "/health/live"
    case ready = "/health/ready"
    case openAPI = "/openapi.yaml"

    /// The route of a request, or 404, or 405.
    init(_ head: HTTPRequest) throws(HTTPProblem) {
        guard let route = Self(target: head.path ?? "") else {
            throw HTTPProblem(.notFound, "there is nothing at this path; GET /openapi.yaml describes the API")
        }
        guard route.methods.contains(head.method) else {
            let allowed = Self.list(route.methods)
            throw HTTPProblem(
                .methodNotAllowed,
                "\(route.rawValue) does not answer \(head.method); it answers \(allowed)",
                fields: [.allow: allowed]
            )
        }
        self = route
    }

    /// The methods that the path answers.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .normalize: [.post, .options]
        case .layerTypes, .live, .ready, .openAPI: [.get, .head, .options]
        }
    }

    /// All that any path answers.
    static let allMethods: [HTTPRequest.Method] = [.get, .head, .post, .options]

    /// The value of an `Allow` field.
    static func list(_ methods: [HTTPRequest.Method]) -> String {
        methods.map(\.rawValue).joined(separator: ", ")
    }

    /// The route of a target in origin-form, the query left out.
    private init?(target: String) {
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
