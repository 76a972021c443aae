import HTTPTypes
import Testing

@testable import NormalizationService

@Suite struct InferenceRouteTests {
    @Test("Each route is found by its template")
    func templates() throws {
        for route in InferenceRoute.all {
            let template = try #require(route.template)
            let target = template.replacing("{model}", with: "m").replacing("{version}", with: "1")
            #expect(InferenceRoute(target: target) == route)
            #expect(InferenceRoute(target: target + "?x=/y&z") == route)
            #expect(InferenceRoute(target: target + "/") == nil)
            #expect(InferenceRoute.isPrefix(ofTarget: target))
        }
        #expect(Set(InferenceRoute.all.compactMap(\.template)).count == InferenceRoute.all.count)
    }

    @Test(
        arguments: [
            ("/v2/models/stats", .statistics), ("/v2/models/stats/ready", .model(.ready, name: "stats", version: nil)),
            ("/v2/models/a%2db/infer", .model(.inference, name: "a-b", version: nil)),
            ("/%762/health/live", .live),
            ("/v2/models/x/versions/007", .model(.metadata, name: "x", version: "007")),
            ("/v2/models/versions/versions/1/stats", .model(.statistics, name: "versions", version: "1")),
            ("/v2/models/x/generate", .unsupported(.generation)), ("/v2/logging", .unsupported(.logging)),
            ("/v2/models/x/trace/setting", .unsupported(.tracing)), ("/v2/trace/setting", .unsupported(.tracing)),
            ("/v2/cudasharedmemory/region/r/register", .unsupported(.sharedMemory)),
        ] as [(String, InferenceRoute)]
    )
    func targets(target: String, route: InferenceRoute) {
        #expect(InferenceRoute(target: target) == route)
    }

    @Test(arguments: [
        "", "/", "v2", "/v", "/v2/", "/v2x", "/v3", "/V2", "/v2/models", "/v2/models/", "/v2/models//infer",
        "/v2/models/x/versions", "/v2/models/x/versions/", "/v2/models/x/versions/a", "/v2/models/x/versions/1a/infer",
        "/v2/models/x/versions/1/versions/1", "/v2/models/x/versions/1/trace/setting", "/v2/models/x/infer/y",
        "/v2/models/a%2Fb", "/v2/models/%", "/v2/models/%zz", "/v2/health", "/v2/health/live/x", "/v2/repository",
        "/v2/repository/index/x", "/v2/repository/models/x", "/v2/repository/models//load", "/v2/logging/x",
        "/v2/systemsharedmemory", "/v2/trace", "*",
    ])
    func noTargets(target: String) {
        #expect(InferenceRoute(target: target) == nil)
    }

    @Test(
        "Only what belongs to the protocol is looked at",
        arguments: [
            ("/v2", true), ("/v2/", true), ("/v2?x", true), ("/v2/models", true), ("/v", false), ("/v2x", false),
            ("/%762/models", true), ("/v%32", true), ("/%76%32x", false), ("/%", false), ("/normalize", false),
            ("", false), ("/v22/x", false),
        ]
    )
    func prefixes(target: String, isPrefix: Bool) {
        #expect(InferenceRoute.isPrefix(ofTarget: target) == isPrefix)
    }
}
