import HTTPCore
import HTTPTypes

/// What the query of a target under `/layers` asks for.
struct LayerQuery {
    /// Whether the answer is to hold the layer's parameters.
    private(set) var wantsParameters = false

    /// Reads the query; only `GET` of a layer has anything to ask.
    init(_ head: HTTPRequest) throws(HTTPProblem) {
        guard let path = head.path, let start = path.firstIndex(of: "?") else { return }
        for item in path[start...].dropFirst().split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == "parameters", head.method == .get || head.method == .head else {
                throw HTTPProblem(.unknownMember, "unknown query parameter '\(parts[0].prefix(64))'")
            }
            switch parts.dropFirst().first {
            case "true": self.wantsParameters = true
            case "false": self.wantsParameters = false
            default: throw HTTPProblem(.invalidValue, "the query parameter parameters must be true or false")
            }
        }
    }
}
