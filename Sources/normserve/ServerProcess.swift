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
        system_keep_memory(8 << 20, 1 << 20)
        let signals = Self.blockSignals()
        let configuration = self.makeConfiguration()
        let memory = MemoryBudget(limit: self.options.limits.maxInFlightBytes.bytes)
        let server = HTTPServer(
            configuration: configuration,
            responder: NormalizationService(
                maximumJSONDepth: self.options.limits.maxJsonDepth,
                threadCount: self.threads,
                readiness: self.readiness
            ),
            memory: memory,
            metrics: HTTPMetrics(memory: memory),
            log: self.log
        )
        do throws(HTTPServerError) {
            let address = try server.start()
            self.logger.notice("listening", metadata: self.settings(configuration, address: address))
        } catch {
            throw StartUpError(description: error.description)
        }
        self.handleSignals(signals, for: server)
    }
}

/// Why the server does not start, in a sentence.
struct StartUpError: Error, CustomStringConvertible {
    let description: String
}

extension ServerProcess {
    /// Descriptors that are no connections: the log, the listener, Dispatch's own.
    private static let spareDescriptors = 32

    /// Raises the limit of descriptors.
    ///
    /// - Returns: as many connections as were asked for, or as there are descriptors for.
    private func raiseConnectionLimit() -> Int {
        let wanted = self.options.limits.maxConnections
        guard let descriptors = Self.raisedDescriptorLimit(), descriptors - Self.spareDescriptors < wanted else {
            return wanted
        }
        let possible = max(1, descriptors - Self.spareDescriptors)
        self.logger.warning(
            "too few file descriptors for all connections",
            metadata: ["descriptors": "\(descriptors)", "max_connections": "\(possible)"]
        )
        return possible
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
        let limits = self.options.limits
        configuration.limits.maxBodyBytes = limits.maxBodyBytes.bytes
        configuration.limits.maxHeadBytes = limits.maxHeadBytes.bytes
        configuration.limits.maxFieldCount = limits.maxFields
        configuration.limits.compressionLevel = self.options.compressionLevel
        configuration.limits.maxConnections = self.raiseConnectionLimit()
        configuration.timeouts.head = limits.headTimeout.duration
        configuration.timeouts.bodyGrace = limits.bodyGrace.duration
        configuration.timeouts.minimumBodyRate = limits.minBodyRate.bytes
        configuration.timeouts.idle = limits.idleTimeout.duration
        configuration.timeouts.writeStall = limits.writeTimeout.duration
        configuration.timeouts.drain = limits.drainTimeout.duration
        return configuration
    }

    /// What an operator wants to see in the log's first line.
    private func settings(
        _ configuration: HTTPServerConfiguration,
        address: HTTPServerConfiguration.Address
    ) -> Logger.Metadata {
        let limits = self.options.limits
        return [
            "address": "\(address)",
            "version": "\(Version.current)",
            "threads": "\(self.threads)",
            "instruction_set": "\(InstructionSet.current.rawValue)",
            "max_body_bytes": "\(limits.maxBodyBytes)",
            "max_json_depth": "\(limits.maxJsonDepth)",
            "max_head_bytes": "\(limits.maxHeadBytes)",
            "max_fields": "\(limits.maxFields)",
            "max_in_flight_bytes": "\(limits.maxInFlightBytes)",
            "max_connections": "\(configuration.limits.maxConnections)",
            "head_timeout": "\(limits.headTimeout)",
            "body_grace": "\(limits.bodyGrace)",
            "min_body_rate": "\(limits.minBodyRate)",
            "idle_timeout": "\(limits.idleTimeout)",
            "write_timeout": "\(limits.writeTimeout)",
            "drain_timeout": "\(limits.drainTimeout)",
            "compression_level": "\(self.options.compressionLevel)",
        ]
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
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// SIGTERM and SIGINT drain, a second one of them ends the process at once, SIGHUP is survived.
    private func handleSignals(_ signals: sigset_t, for server: HTTPServer) -> Never {
        // Not Dispatch's sources: the default action may come before them, and an ignored signal is lost.
        var signals = signals
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            if number == SIGHUP {
                self.logger.notice("SIGHUP: there is nothing to reload")
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
