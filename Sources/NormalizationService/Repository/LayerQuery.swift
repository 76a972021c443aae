import HTTPCore
import HTTPTypes

/// What the query of a target under `/layers` asks for.
struct LayerQuery {
    /// Whether the answer is to hold the layer's parameters.
    private(set) var wantsParameters = false

    /// Reads the query; only `GET` of a layer has anything to ask.
    init(_ head: HTTPRequest, for route: Route) throws(HTTPProblem) {
        var query = try QueryParameters(target: head.path ?? "")
        if head.method == .get || head.method == .head, route != .layers, let value = query.take("parameters") {
            guard let wantsParameters = Bool(value) else {
                throw HTTPProblem(.invalidValue, "the query parameter parameters must be true or false")
            }
            self.wantsParameters = wantsParameters
        }
        if let name = query.items.first?.name {
            throw QueryParameters.unknownParameter(name)
        }
    }
}
