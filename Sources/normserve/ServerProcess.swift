import ArgumentParser
import Dispatch
import Foundation
import HTTPCore
import HTTPServer
import Logging
import NormalizationService
import Synchronization

/// The composition root: joins the server and the service, and lives until a signal ends it.
struct ServerProcess {
    let options: Serve

    func run() throws -> Never {
        let format = self.options.logFormat
        LoggingSystem.bootstrap { label in
            switch format {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label)
            }
        }
        var logger = Logger(label: "normserve")
        logger.logLevel = self.options.logLevel

        let readiness = Readiness()
        let server = HTTPServer(
            configuration: self.configuration,
            responder: NormalizationService(maximumJSONDepth: self.options.limits.maxJsonDepth, readiness: readiness),
            logger: logger
        )
        let signals = SignalSources(logger: logger, readiness: readiness, server: server)
        let address = try server.start()
        logger.notice("listening", metadata: self.settings(address: address))
        withExtendedLifetime(signals) { dispatchMain() }
    }
}
