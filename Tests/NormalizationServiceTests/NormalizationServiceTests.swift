import HTTPCore
import HTTPTypes
import Testing

@testable import NormalizationService

@Suite struct NormalizationServiceTests {
    private let client = ServiceClient()

    @Test(arguments: [HTTPRequest.Method.get, .head])
    func healthAnswersWithItsStatus(method: HTTPRequest.Method) throws {
        #expect(
            String(decoding: try self.client.send(method, "/health/live").body, as: UTF8.self) == #"{"status":"live"}"#
        )
        #expect(
            String(decoding: try self.client.send(method, "/health/ready").body, as: UTF8.self)
                == #"{"status":"ready"}"#
        )
    }

    @Test func drainingIsNotReadyButLive() throws {
        self.client.readiness.startDraining()
        let ready = try self.client.send(.get, "/health/ready")
        #expect(ready.status == 503)
        #expect(ready.fields[.retryAfter] != nil)
        #expect(try ready.problem.code == "draining")
        #expect(try self.client.send(.get, "/health/live").status == 200)
    }

    @Test(arguments: [
        "/", "/normalize/", "/Normalize", "/normalise", "/health", "", "*", "/%6", "/%2Fnormalize", "/a%00",
    ])
    func unknownPathsAreNotFound(path: String) throws {
        let answer = try self.client.send(.post, path)
        #expect(answer.status == 404)
        #expect(answer.isByHead)
        #expect(try answer.problem.code == "not_found")
    }

    @Test(arguments: ["/health/live?probe=1", "/%68ealth/live", "/health/%6Cive"])
    func equivalentPathsAreFound(path: String) throws {
        #expect(try self.client.send(.get, path).status == 200)
    }

    @Test("RFC 9110 §15.5.6: 405 lists what is allowed", arguments: Route.allCases)
    func methods(route: Route) throws {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .delete, .patch, .trace, .connect] {
            let answer = try self.client.send(method, route.examplePath)
            #expect((answer.status == 405) == !route.methods.contains(method), "\(method)")
            if answer.status == 405 {
                #expect(answer.fields[.allow] == Route.list(route.methods))
                #expect(try answer.problem.code == "method_not_allowed")
            }
        }
        let options = try self.client.send(.options, route.examplePath)
        #expect(options.status == 204)
        #expect(options.fields[.allow] == Route.list(route.methods))
        #expect(options.body.isEmpty)
    }

    @Test("RFC 9110 §9.3.7: OPTIONS * asks the server as a whole")
    func optionsOfTheServer() throws {
        let answer = try self.client.send(.options, "*")
        #expect(answer.status == 204)
        #expect(answer.fields[.allow] == "GET, HEAD, POST, PUT, DELETE, OPTIONS")
        let all = Set(Route.allCases.flatMap(\.methods).map(\.rawValue))
        #expect(Set(Route.allMethods.map(\.rawValue)) == all)
    }

    @Test func theServersOwnRefusalsAreProblemDocuments() throws {
        let service = self.client.service
        for error in HTTPError.allCases {
            let answer = Answer(service.reply(to: error.problem), isByHead: true)
            #expect(answer.status == error.problem.status.code)
            #expect(answer.fields[.contentType] == "application/problem+json")
            let json = try answer.json
            #expect(json["type"] as? String == "about:blank")
            #expect(json["title"] as? String == error.problem.status.reasonPhrase)
            #expect(json["code"] as? String == error.problem.code)
            #expect(json["pointer"] == nil)
        }
    }
}
