/// A route, and what a target has in the places of its parameters.
struct RoutedTarget {
    let route: Route

    /// One for each `{…}` of the route's path, decoded; none is empty.
    let parameters: [String]

    /// All paths, cut into segments.
    private static let templates = Route.allCases.map { ($0, $0.rawValue.split(separator: "/")) }

    /// The paths that a target may be as it stands.
    private static let literal = Dictionary(
        uniqueKeysWithValues: templates.filter { !$0.1.contains(where: Self.isParameter) }.map { ($0.0.rawValue, $0.0) }
    )

    /// The route of a target in origin-form, the query left out.
    init?(_ target: String) {
        if let route = Self.literal[target] {
            self.init(route, [])
            return
        }
        guard let segments = PathSegments.decoded(from: target) else { return nil }
        for (route, template) in Self.templates {
            if let parameters = Self.match(segments, template) {
                self.init(route, parameters)
                return
            }
        }
        return nil
    }

    private init(_ route: Route, _ parameters: [String]) {
        self.route = route
        self.parameters = parameters
    }

    /// What stands in the places of the parameters; `nil` where anything else differs, or one of them is empty.
    private static func match(_ segments: [String], _ template: [Substring]) -> [String]? {
        guard segments.count == template.count else { return nil }
        var parameters: [String] = []
        for (segment, expected) in zip(segments, template) {
            if Self.isParameter(expected), !segment.isEmpty {
                parameters.append(segment)
            } else if segment != expected {
                return nil
            }
        }
        return parameters
    }

    private static func isParameter(_ segment: Substring) -> Bool { segment.hasPrefix("{") }
}
