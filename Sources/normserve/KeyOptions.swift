import ArgumentParser
import NormalizationService

/// Who may do what.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file of keys, one a line. Every request but for health must then show one of them as \
            Authorization: Bearer KEY. SIGHUP reads it again.
            """,
            valueName: "file"
        )
    )
    var apiKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "A file of the administrator's keys, which are good for everything. SIGHUP reads it again.",
            valueName: "file"
        )
    )
    var adminKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "Who may read GET /metrics: everybody, whoever may ask for the rest, the administrator, or nobody.",
            valueName: "who"
        )
    )
    var metricsAccess = Authorization.MetricsAccess.apiKey

    /// Whether anything needs a key.
    var areConfigured: Bool { self.apiKeyFile != nil || self.adminKeyFile != nil }

    func validate() throws {
        guard self.apiKeyFile?.isEmpty != true else {
            throw ValidationError("--api-key-file is empty; it must be the path of a file")
        }
        guard self.adminKeyFile?.isEmpty != true else {
            throw ValidationError("--admin-key-file is empty; it must be the path of a file")
        }
        guard self.metricsAccess != .adminKey || self.adminKeyFile != nil else {
            throw ValidationError("--metrics-access is admin-key, which needs an --admin-key-file")
        }
    }

    /// Reads the files, all of them or none.
    func load() throws(StartUpError) -> Authorization.Keys {
        Authorization.Keys(
            api: try Self.ring("--api-key-file", self.apiKeyFile),
            admin: try Self.ring("--admin-key-file", self.adminKeyFile)
        )
    }

    private static func ring(_ option: String, _ path: String?) throws(StartUpError) -> KeyRing? {
        guard let path else { return nil }
        let content = try StartUpError.reading(path, of: option, isSecret: true)
        do throws(KeyFileError) {
            return try KeyRing(file: content)
        } catch {
            throw StartUpError(description: "\(option) \(path): \(error)")
        }
    }
}

extension Authorization.MetricsAccess: ExpressibleByArgument {}
