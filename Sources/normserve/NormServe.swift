import ArgumentParser
import FoundationEssentials

/// The root of the command line; without a subcommand it serves.
@main
struct NormServe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "normserve",
        abstract: "Normalization layers as an HTTP service.",
        discussion: """
            Every option of `serve` is also an environment variable: --max-body-bytes is NORMSERVE_MAX_BODY_BYTES. \
            Sizes take KiB, MiB and GiB; durations take ms, s and m.
            """,
        version: Version.current,
        subcommands: [Serve.self, Normalize.self, Health.self],
        defaultSubcommand: Serve.self
    )

    static func main() {
        let environment = ServeEnvironment(ProcessInfo.processInfo.environment)
        do {
            var command = try self.parseAsRoot(environment.completing(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch {
            self.finish(with: error, environment)
        }
    }

    /// Prints help and versions in full, errors as one line.
    private static func finish(with error: any Error, _ environment: ServeEnvironment) -> Never {
        let exitCode = (error as? FileFailure).map { ExitCode($0.exitCode) } ?? self.exitCode(for: error)
        if exitCode == .success || error is ExitCode {
            self.exit(withError: error)
        }
        var line = "normserve: \(self.message(for: error).onOneLine)"
        if exitCode == .validationFailure {
            let hint = environment.variable(blamedBy: line).map { "\($0) is set" } ?? "see normserve --help"
            line += " (\(hint))"
        }
        StandardError.write("\(line)\n".utf8)
        self.exit(withError: exitCode)
    }
}

extension String {
    /// With line breaks as spaces and bullets as commas.
    fileprivate var onOneLine: String {
        self.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
            .replacing(": - ", with: ": ").replacing(" - ", with: ", ")
    }
}

enum Version {
    static let current = "0.1.0"
}
