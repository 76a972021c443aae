import HTTPCore
import HTTPTypes
import Testing

@testable import NormalizationService

@Suite struct AuthorizationTests {
    private static let challenge = #"Bearer realm="normserve""#

    /// A service that knows an API key `client`, an administrator's `root`, or both.
    private func client(
        api: String? = "client",
        admin: String? = "root",
        metrics: Authorization.MetricsAccess = .apiKey
    ) throws -> ServiceClient {
        var client = ServiceClient()
        let ring = { (file: String) in try KeyRing(file: Array(file.utf8)) }
        client.authorization = Authorization(
            Authorization.Keys(api: try api.map(ring), admin: try admin.map(ring)),
            metricsAccess: metrics
        )
        return client
    }

    private func status(
        _ client: ServiceClient,
        _ path: String,
        key: String?,
        _ method: HTTPRequest.Method = .get
    ) throws -> Int {
        try client.send(method, path, key.map { [.authorization: "Bearer \($0)"] } ?? [:]).status
    }

    @Test(
        "RFC 6750 §2.1: the scheme in any case, one or more spaces, a key",
        arguments: ["Bearer client", "bearer client", "BEARER client", "bEaReR   client", "Bearer root"]
    )
    func whoShowsAKeyIsServed(value: String) throws {
        #expect(try self.client().send(.get, "/layer-types", [.authorization: value]).status == 200)
    }

    @Test(
        "RFC 9110 §15.5.2: 401 says what is wanted",
        arguments: [
            (nil, false), ("", false), ("Bearer", false), ("Bearer ", false), ("client", false),
            ("Basic client", false),
            ("Basic Y2xpZW50Og==", false), ("Bearer client x", false), ("Bearer client, Bearer client", false),
            ("Bearer \"client\"", false), ("Bearer\tclient", false), ("Bearer =", false), ("Bearerclient", false),
            ("Bearer cli\u{e9}nt", false), ("Bearer key=client", false), ("Bearer clien", true),
            ("Bearer clientx", true), ("Bearer CLIENT", true), ("Bearer client=", true), ("Bearer other", true),
        ] as [(String?, Bool)]
    )
    func whoShowsNoneIsRefused(value: String?, isInvalidToken: Bool) throws {
        let answer = try self.client().send(.get, "/layer-types", value.map { [.authorization: $0] } ?? [:])
        #expect(answer.status == 401)
        #expect(try answer.problem.code == "unauthorized")
        #expect(
            answer.fields[.wwwAuthenticate] == Self.challenge + (isInvalidToken ? #", error="invalid_token""# : "")
        )
        #expect(answer.fields[.contentType] == "application/problem+json")
    }

    @Test(arguments: ["Bearer client", "Bearer other"])
    func aRepeatedFieldIsRefused(second: String) throws {
        var fields: HTTPFields = [.authorization: "Bearer client"]
        fields.append(HTTPField(name: .authorization, value: second))
        let answer = try self.client().send(.get, "/layer-types", fields)
        #expect(answer.status == 401)
        #expect(answer.fields[.wwwAuthenticate] == Self.challenge)
    }

    @Test("With API keys every path but those of health needs one", arguments: Route.allCases)
    func whatNeedsAKey(route: Route) throws {
        let client = try self.client()
        let isOpen = route == .live || route == .ready
        for method in [HTTPRequest.Method.get, .post, .options, .delete] {
            let statuses = try ["client", "root"].map { try self.status(client, route.examplePath, key: $0, method) }
            let status = try self.status(client, route.examplePath, key: nil, method)
            let isForAdministrators = method == .delete && [.layer, .layerVersion].contains(route)
            #expect(statuses.map { $0 == 401 || $0 == 403 } == [isForAdministrators, false])
            #expect(status == (isOpen ? statuses[0] : 401), "\(method)")
            #expect(try self.status(client, route.examplePath, key: "no", method) == status, "\(method)")
        }
    }

    @Test("The same of the Open Inference Protocol", arguments: InferenceRoute.all)
    func whatNeedsAKey(route: InferenceRoute) throws {
        let client = try self.client()
        let path = try #require(route.template)
        let isOpen = route == .live || route == .ready
        let isForAdministrators = ["/load", "/unload"].contains { path.hasSuffix($0) }
        for method in [HTTPRequest.Method.get, .post, .options, .delete] {
            let statuses = try ["client", "root"].map { try self.status(client, path, key: $0, method) }
            #expect(statuses.map { $0 == 401 || $0 == 403 } == [isForAdministrators, false])
            #expect(try self.status(client, path, key: nil, method) == (isOpen ? statuses[0] : 401), "\(method)")
            #expect(try self.status(client, path, key: "no", method) == (isOpen ? statuses[0] : 401), "\(method)")
        }
    }

    @Test("The key is judged before anything else", arguments: ["/", "/nowhere", "*", "", "/normalize?x=1", "/%00"])
    func unknownPathsNeedAKey(path: String) throws {
        for method in [HTTPRequest.Method.get, .post, .options, .trace] {
            let answer = try self.client().send(method, path, [.contentType: "text/plain"])
            #expect(answer.status == 401)
            #expect(answer.isByHead)
        }
        #expect(try self.status(self.client(), "/nowhere", key: "client") == 404)
    }

    @Test(arguments: ["/health/live", "/%68ealth/live", "/health/ready?x"])
    func healthIsOpenHoweverItIsWritten(path: String) throws {
        #expect(try self.status(self.client(), path, key: nil) == 200)
        #expect(try self.status(self.client(), path, key: "wrong") == 200)
        #expect(try self.status(self.client(), "/health/live/x", key: nil) == 401)
    }

    @Test(arguments: [nil, "root"] as [String?])
    func withoutAPIKeysAllIsOpen(admin: String?) throws {
        let client = try self.client(api: nil, admin: admin)
        for path in ["/layer-types", "/metrics", "/openapi.yaml"] {
            #expect(try self.status(client, path, key: nil) == 200)
            #expect(try self.status(client, path, key: "unknown") == 200)
        }
        #expect(try client.normalize(#"{"layer":{"type":"rms_norm","axis":-1},"input":[1]}"#).status == 200)
    }

    @Test(
        arguments: [
            (.open, [200, 200, 200, 200]), (.apiKey, [401, 401, 200, 200]), (.adminKey, [401, 401, 403, 200]),
            (.off, [401, 401, 404, 404]),
        ] as [(Authorization.MetricsAccess, [Int])]
    )
    func whoMayReadTheMetrics(access: Authorization.MetricsAccess, statuses: [Int]) throws {
        let client = try self.client(metrics: access)
        for (key, status) in zip([nil, "other", "client", "root"] as [String?], statuses) {
            #expect(try self.status(client, "/metrics", key: key) == status, "\(key ?? "none")")
        }
    }

    @Test(
        arguments: [(.open, [200, 200]), (.apiKey, [200, 200]), (.adminKey, [401, 200]), (.off, [404, 404])]
            as [(Authorization.MetricsAccess, [Int])]
    )
    func whoMayReadTheMetricsWithoutAPIKeys(access: Authorization.MetricsAccess, statuses: [Int]) throws {
        let client = try self.client(api: nil, metrics: access)
        for (key, status) in zip([nil, "root"] as [String?], statuses) {
            #expect(try self.status(client, "/metrics", key: key) == status, "\(key ?? "none")")
        }
    }

    @Test(
        "Layers are changed by the administrator, and by nobody where there is none",
        arguments: [
            ("client", "root", [401, 401, 403, 404]), (nil, "root", [401, 401, 401, 404]),
            ("client", nil, [401, 401, 403, 401]), (nil, nil, [403, 403, 403, 403]),
        ] as [(String?, String?, [Int])]
    )
    func whoMayChangeLayers(api: String?, admin: String?, statuses: [Int]) throws {
        let client = try self.client(api: api, admin: admin)
        for (key, status) in zip([nil, "other", "client", "root"] as [String?], statuses) {
            for path in ["/layers/bn1", "/layers/bn1/versions/1"] {
                #expect(try self.status(client, path, key: key, .delete) == status, "\(key ?? "none")")
            }
            let put = try client.send(.put, "/layers/bn1", key.map { [.authorization: "Bearer \($0)"] } ?? [:])
            // What the administrator sends is looked at, and is no layer.
            #expect(put.status == (status == 404 ? 400 : status), "\(key ?? "none")")
            #expect(put.isByHead == (status != 404))
            if status == 403, admin == nil {
                #expect(try put.problem.detail?.contains("--admin-key-file") == true)
            }
        }
    }

    @Test func aClientIsToldThatItIsNotTheAdministrator() throws {
        let answer = try self.client(metrics: .adminKey).send(.get, "/metrics", [.authorization: "Bearer client"])
        #expect(answer.status == 403)
        #expect(try answer.problem.code == "forbidden")
        #expect(answer.fields[.wwwAuthenticate] == nil)
    }

    @Test func aKeyInBothFilesIsTheAdministrators() throws {
        let client = try self.client(api: "both", admin: "both", metrics: .adminKey)
        #expect(try self.status(client, "/metrics", key: "both") == 200)
    }

    @Test func keysAreReplaced() throws {
        let client = try self.client(metrics: .adminKey)
        client.authorization.replaceKeys(
            with: .init(api: try KeyRing(file: Array("new".utf8)), admin: try KeyRing(file: Array("client".utf8)))
        )
        #expect(try self.status(client, "/metrics", key: "root") == 401)
        #expect(try self.status(client, "/metrics", key: "new") == 403)
        #expect(try self.status(client, "/metrics", key: "client") == 200)
        #expect(try self.status(client, "/layer-types", key: "new") == 200)
    }

    @Test func whatWasGrantedStaysGranted() throws {
        let client = try self.client()
        let head = HTTPRequest(
            method: .post,
            scheme: nil,
            authority: nil,
            path: "/normalize",
            headerFields: [.authorization: "Bearer client"]
        )
        guard case .receive = client.service.admit(head) else {
            Issue.record("the request is admitted")
            return
        }
        client.authorization.replaceKeys(
            with: .init(api: try KeyRing(file: Array("new".utf8)), admin: try KeyRing(file: Array("root".utf8)))
        )
        let message = HTTPRequestMessage(
            head: head,
            buffer: nil,
            bodyRange: 0..<0,
            firstByteAt: .now(),
            lastByteAt: .now()
        )
        #expect(Answer(client.service.respond(to: message), isByHead: false).status == 400)
    }

    @Test func noKeyIsRepeated() throws {
        let client = try self.client(api: "sesame", admin: "opener", metrics: .adminKey)
        for value in ["Bearer sesame", "Bearer sesames", "sesame", "Bearer sesame opener"] {
            let answer = try client.send(.get, "/metrics", [.authorization: value])
            #expect(answer.status == (value == "Bearer sesame" ? 403 : 401))
            let text = String(decoding: answer.body, as: UTF8.self) + answer.fields.map(\.value).joined()
            #expect(!text.contains("sesame") && !text.contains("opener"))
        }
    }
}
