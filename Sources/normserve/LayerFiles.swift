import Logging
import NormalizationService

/// Where the registered layers are read from, at the start and again at each SIGHUP.
struct LayerFiles {
    private static let directoryOption = "--layers"

    let directory: String?
    private let elementLimit: Int
    private let logger: Logger

    init(_ options: Serve, logger: Logger) {
        self.directory = options.layers.layers
        self.elementLimit = options.limits.maxElements
        self.logger = logger
    }

    /// The repository with all layers that are there; what is damaged is left out.
    func open() throws(StartUpError) -> (LayerRepository, [LayerFault]) {
        guard let directory else { return (LayerRepository(), []) }
        do throws(LayerRepositoryFailure) {
            let repository = try LayerRepository(directory: directory)
            return (repository, try repository.reload(elementLimit: self.elementLimit))
        } catch {
            throw self.failure(error)
        }
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
