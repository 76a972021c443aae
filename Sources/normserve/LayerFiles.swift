import Logging
import NormalizationService

/// Where the registered layers are read from, at the start and again at each SIGHUP.
struct LayerFiles {
    private static let directoryOption = "--layers"

    private static let checkpointOption = "--checkpoint"
    private static let rulesOption = "--checkpoint-rules"

    let directory: String?
    private let checkpoints: [String]
    private let rules: String?
    private let elementLimit: Int
    private let logger: Logger

    init(_ options: Serve, logger: Logger) {
        self.directory = options.layers.layers
        self.checkpoints = options.layers.checkpoint
        self.rules = options.layers.checkpointRules
        self.elementLimit = options.limits.maxElements
        self.logger = logger
    }

    /// What was found at the start.
    struct Report {
        /// How many layers of each type each checkpoint has.
        var checkpoints: [(path: String, counts: [String: Int])] = []

        /// What is not used.
        var faults: [LayerFault] = []
    }

    /// The repository with all layers that are there. What is damaged in the directory is left out; a checkpoint that
    /// cannot be read is an error, as it is one file that was asked for.
    func open() throws(StartUpError) -> (LayerRepository, Report) {
        let repository: LayerRepository
        do throws(LayerRepositoryFailure) {
            repository =
                try self.directory.map { path throws(LayerRepositoryFailure) in
                    try LayerRepository(directory: path)
                } ?? LayerRepository()
        } catch {
            throw self.failure(error)
        }
        // Checkpoints come first: their layers cannot be changed, so nobody can take their names.
        var report = try self.loadCheckpoints(into: repository)
        report.faults += try self.load(into: repository)
        return (repository, report)
    }

    private func loadCheckpoints(into repository: LayerRepository) throws(StartUpError) -> Report {
        let rules = try self.loadRules()
        var report = Report()
        for path in self.checkpoints {
            do throws(LayerRepositoryFailure) {
                let found = try repository.addCheckpoint(path, rules, elementLimit: self.elementLimit)
                report.checkpoints.append((path, found.counts))
                report.faults += found.faults
            } catch {
                throw StartUpError(description: "\(Self.checkpointOption) \(path): \(error)")
            }
        }
        return report
    }

    private func loadRules() throws(StartUpError) -> CheckpointRules {
        guard let rules else { return .none }
        let content = try StartUpError.reading(rules, of: Self.rulesOption, isSecret: false)
        do throws(LayerRepositoryFailure) {
            return try CheckpointRules(file: content)
        } catch {
            throw StartUpError(description: "\(Self.rulesOption) \(rules): \(error)")
        }
    }

    /// Says what was found at the start.
    func log(_ report: Report) {
        for (path, counts) in report.checkpoints {
            var metadata = counts.mapValues { Logger.MetadataValue.string("\($0)") }
            metadata["checkpoint"] = "\(path)"
            metadata["layers"] = "\(counts.values.reduce(0, +))"
            self.logger.notice("checkpoint loaded", metadata: metadata)
        }
        self.log(report.faults)
    }

    /// Reads the directory again.
    ///
    /// - Returns: what is not used.
    func load(into repository: LayerRepository) throws(StartUpError) -> [LayerFault] {
        do throws(LayerRepositoryFailure) {
            return try repository.reload(elementLimit: self.elementLimit)
        } catch {
            throw self.failure(error)
        }
    }

    /// Names what is not used.
    func log(_ faults: [LayerFault]) {
        for fault in faults {
            var metadata: Logger.Metadata = ["layer": "\(fault.layer.printable)", "reason": "\(fault.reason)"]
            metadata["version"] = fault.version.map { "\($0.printable)" }
            self.logger.error("layer not loaded", metadata: metadata)
        }
    }

    private func failure(_ failure: LayerRepositoryFailure) -> StartUpError {
        StartUpError(description: "\(Self.directoryOption) \(self.directory ?? ""): \(failure)")
    }
}

extension String {
    /// With question marks for all that is not printable ASCII: a name of a file may be anything.
    fileprivate var printable: String {
        String(String.UnicodeScalarView(self.unicodeScalars.map { 0x20..<0x7f ~= $0.value ? $0 : "?" }))
    }
}
