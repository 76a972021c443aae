import AlignedMemory
import ArgumentParser
import CSystem
import FoundationEssentials
import Glibc
import HTTPCore
import HTTPServer
import Logging
import Normalization
import NormalizationService

/// The composition root: joins the server and the service, and lives until a signal ends it.
struct ServerProcess {
    private let options: Serve
    private let logger: Logger
    private let readiness = Readiness()

    init(_ options: Serve) {
        self.options = options
        LoggingSystem.bootstrap { label in
            switch options.logFormat {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label)
            }
        }
        var logger = Logger(label: "normserve")
        logger.logLevel = options.logLevel
        self.logger = logger
    }

    /// Serves until a signal ends the process.
    func run() throws -> Never {
        // What a request frees the next one takes: giving less than this back to the system would only cost page
        // faults. Bodies and tensors are mapped, and go back at once (AlignedBuffer).
        system_keep_memory(8 << 20, 1 << 20, Int32(max(2, self.threads)))
        let signals = Self.blockSignals()
        let identity = IdentityFiles(self.options.tls)
        var configuration = self.makeConfiguration()
        configuration.tls = try identity?.load()
        let keys = try self.options.keys.load()
        let authorization = Authorization(keys, metricsAccess: self.options.keys.metricsAccess)
        let layers = LayerFiles(self.options, logger: self.logger)
        let (repository, report) = try layers.open()
        let memory = MemoryBudget(limit: self.options.limits.maxInFlightBytes.bytes)
        let metrics = HTTPMetrics(memory: memory)
        let server = HTTPServer(
            configuration: configuration,
            responder: NormalizationService(
                self.serviceConfiguration,
                authorization: authorization,
                readiness: self.readiness,
                metrics: metrics,
                layers: repository
            ),
            memory: memory,
            metrics: metrics,
            log: self.log
        )
        do throws(HTTPServerError) {
            let address = try server.start()
            let settings = self.settings(configuration, address: address).merging(keys.counts) { $1 }
                .merging(["layers": "\(repository.count)"]) { $1 }
            self.logger.notice("listening", metadata: settings)
            layers.log(report)
        } catch {
            throw StartUpError(description: error.description)
        }
        self.warnOfFewDescriptors(configuration.limits.maxConnections)
        self.warnOfOpenKeys()
        let reloader = Reloader(
            identity: identity,
            keys: self.options.keys,
            server: server,
            authorization: authorization,
            layers: layers,
            repository: repository,
            logger: self.logger
        )
        self.handleSignals(signals, for: server, reloader)
    }
}

extension ServerProcess {
    /// Descriptors that are no connections: the log, the listener, Dispatch's own.
    private static let spareDescriptors = 32

    /// As many connections as were asked for, or as there are descriptors for.
    private var possibleConnections: Int {
        let wanted = self.options.limits.maxConnections
        guard let descriptors = Self.raisedDescriptorLimit() else { return wanted }
        return min(wanted, max(1, descriptors - Self.spareDescriptors))
    }

    private func warnOfFewDescriptors(_ possibleConnections: Int) {
        guard possibleConnections < self.options.limits.maxConnections else { return }
        self.logger.warning(
            "too few file descriptors for all connections",
            metadata: ["max_connections": "\(possibleConnections)"]
        )
    }

    /// The usual soft limit of 1024 descriptors is less than the connections that are allowed.
    ///
    /// - Returns: the descriptors that the process may have; `nil` if that is not known.
    private static func raisedDescriptorLimit() -> Int? {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        guard getrlimit(resource, &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    private var threads: Int { self.options.threads ?? ProcessInfo.processInfo.activeProcessorCount }

    private func makeConfiguration() -> HTTPServerConfiguration {
        let address: HTTPServerConfiguration.Address =
            self.options.unixSocket.map { .unixSocket(path: $0) }
            ?? .tcp(host: self.options.host, port: self.options.port)
        var configuration = HTTPServerConfiguration(
            address: address,
            eventLoopCount: self.threads,
            workerCount: self.threads
        )
        configuration.limits = self.options.limits.httpLimits
        configuration.limits.compressionLevel = self.options.compressionLevel
        configuration.limits.maxConnections = self.possibleConnections
        configuration.timeouts = self.options.timeouts.httpTimeouts
        return configuration
    }

    private var serviceConfiguration: NormalizationService.Configuration {
        var configuration = NormalizationService.Configuration()
        configuration.maximumJSONDepth = self.options.limits.maxJsonDepth
        configuration.maximumElementCount = self.options.limits.maxElements
        configuration.threadCount = self.threads
        configuration.version = Version.current
        return configuration
    }

    /// What an operator wants to see in the log's first line.
    private func settings(
        _ configuration: HTTPServerConfiguration,
        address: HTTPServerConfiguration.Address
    ) -> Logger.Metadata {
        var settings: Logger.Metadata = [
            "address": "\(address)",
            "version": "\(Version.current)",
            "tls": "\(self.options.tls.tlsKey != nil)",
            "threads": "\(self.threads)",
            "instruction_set": "\(InstructionSet.current.rawValue)",
            "metrics_access": "\(self.options.keys.metricsAccess.rawValue)",
            "compression_level": "\(self.options.compressionLevel)",
        ]
        settings.merge(self.options.limits.settings) { $1 }
        settings.merge(self.options.timeouts.settings) { $1 }
        // As many as there are descriptors for.
        settings["max_connections"] = "\(configuration.limits.maxConnections)"
        return settings
    }

    /// Without TLS, whoever sees the traffic sees the keys.
    private func warnOfOpenKeys() {
        guard self.options.keys.areConfigured, self.options.unixSocket == nil,
            self.options.tls.tlsKey == nil, !LoopbackAddress.contains(self.options.host)
        else { return }
        self.logger.warning("keys are sent in the clear: there is no TLS, and the host is not a loopback address")
    }

    private func log(_ event: HTTPServerEvent) {
        switch event {
        case .listening: break  // logged with the settings
        case .acceptingPaused: self.logger.warning("\(event)")
        case .draining, .stopped: self.logger.notice("\(event)")
        }
    }

    /// Blocks the signals that end or wake the server in this thread and all that it starts: they wait for
    /// `handleSignals`, however early they come.
    private static func blockSignals() -> sigset_t {
        // The log's reader may go; that is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow is an error of the write, which is answered.
        signal(SIGXFSZ, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// SIGTERM and SIGINT drain, a second one of them ends the process at once, SIGHUP reloads.
    private func handleSignals(_ signals: sigset_t, for server: HTTPServer, _ reloader: Reloader) -> Never {
        // Not Dispatch's sources: the default action may come before them, and an ignored signal is lost.
        var signals = signals
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            if number == SIGHUP {
                reloader.reload()
            } else {
                self.stop(server)
            }
        }
    }

    private func stop(_ server: HTTPServer) {
        guard !self.readiness.isDraining else {
            self.logger.warning("second signal: ending at once")
            // Not `exit`: what it would run may wait for what hangs.
            _exit(EXIT_FAILURE)
        }
        self.readiness.startDraining()
        server.drain { isClean in
            Glibc.exit(isClean ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }
}
