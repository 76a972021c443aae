import FoundationEssentials

/// A route, and what a target has in the places of its parameters.
struct RoutedTarget {
    let route: Route

    /// One for each `{…}` of the route's path, decoded; none is empty.
    let parameters: [String]

    /// The paths that have parameters, cut into segments.
    private static let templates = Route.allCases.map { ($0, $0.rawValue.split(separator: "/")) }
        .filter { $0.1.contains(where: Self.isParameter) }

    /// The route of a target in origin-form, the query left out.
    init?(_ target: String) {
        if let route = Route(rawValue: target), !target.contains("{") {
            self.init(route, [])
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
        if let route = Route(rawValue: segments.joined(separator: "/")) {
            self.init(route, [])
            return
        }
        guard segments.first == "" else { return nil }
        for (route, template) in Self.templates {
            if let parameters = Self.match(segments.dropFirst(), template) {
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
    private static func match(_ segments: ArraySlice<String>, _ template: [Substring]) -> [String]? {
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
