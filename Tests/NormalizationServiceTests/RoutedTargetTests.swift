import Testing

@testable import NormalizationService

@Suite struct RoutedTargetTests {
    @Test(
        arguments: [
            ("/normalize", .normalize, []), ("/normalize?layer=x", .normalize, []), ("/%6eormalize", .normalize, []),
            ("/layers", .layers, []), ("/layers?x", .layers, []), ("/layers/bn1", .layer, ["bn1"]),
            ("/layers/bn1?parameters=true", .layer, ["bn1"]), ("/layers/b%6e1", .layer, ["bn1"]),
            ("/%6cayers/versions", .layer, ["versions"]),
            ("/layers/a.b-c/versions/12", .layerVersion, ["a.b-c", "12"]),
            ("/layers/a/%76ersions/%31?x", .layerVersion, ["a", "1"]),
            ("/layers/{name}", .layer, ["{name}"]), ("/layers/%7Bname%7D", .layer, ["{name}"]),
            ("/layers/%7bname%7d/versions/%7bversion%7d", .layerVersion, ["{name}", "{version}"]),
        ] as [(String, Route, [String])]
    )
    func isFound(target: String, route: Route, parameters: [String]) throws {
        let found = try #require(RoutedTarget(target))
        #expect(found.route == route)
        #expect(found.parameters == parameters)
    }

    @Test(
        arguments: [
            "", "*", "/", "layers", "layers/bn1", "/layers/", "/layers//", "//layers", "/layers/a/",
            "/layers/a/versions",
            "/layers/a/versions/", "/layers//versions/1", "/layers/a/versions/1/", "/layers/a/version/1",
            "/layers/a/versions/1/2", "/layers/a%2fb", "/layers/a/versions%2f1", "/layers/%",
            "/layers/%zz",
            "/layers%2fa",
        ]
    )
    func isNotFound(target: String) {
        #expect(RoutedTarget(target)?.route == nil)
    }
}
