import AlignedMemory
import ArgumentParser
import FoundationEssentials
import Glibc
import HTTPCore
import NormalizationService

/// Normalizes the tensor in one file, without a server.
struct Normalize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Normalize the tensor in a file, without a server.",
        discussion: """
            Reads an .npy or .safetensors file and writes one. The layer is described as in a request: as a query, \
            --layer 'type=layer_norm&normalized_shape=768&eps=1e-6'; as JSON, --layer '{"type": "group_norm", \
            "num_groups": 4}'; or in a file, --layer @layer.json or --layer @layer.safetensors. A .safetensors file may hold \
            its layer itself.

            Exit codes: 0; 64 bad usage, 65 the input or the layer is not what it should be, 66 a file cannot be opened, 71 no \
            memory, 74 reading or writing failed.
            """
    )

    @Argument(help: "The file with the tensor; - for standard input.")
    var input: String

    @Option(help: ArgumentHelp("The layer: a query, JSON, or @ and the name of a file.", valueName: "layer"))
    var layer: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The file to write, replaced as a whole; - for standard output, in the format of the input.",
            valueName: "file"
        )
    )
    var output = "-"

    @Option(
        help: ArgumentHelp(
            "FP32, FP64, FP16 or BF16. Default: that of the input if it is one of them.",
            valueName: "type"
        )
    )
    var outputDatatype: String?

    @Option(help: "How many threads may share the tensor; the number of processors if not given.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); it must be from 1 to 1024")
        }
        if let outputDatatype, !FileNormalizer.outputTypes.contains(outputDatatype) {
            let known = FileNormalizer.outputTypes.joined(separator: ", ")
            throw ValidationError("--output-datatype is \(outputDatatype); it must be one of \(known)")
        }
        guard self.output != TensorFile.standardStream || isatty(STDOUT_FILENO) == 0 else {
            throw ValidationError("standard output is a terminal; name a file with --output")
        }
        guard self.layer != nil || !self.input.hasSuffix(".npy") else {
            throw ValidationError("--layer is missing; an .npy file describes no layer")
        }
        guard
            self.output == TensorFile.standardStream || TensorFile.isStream(self.output)
                || Self.format(named: self.output) != nil
        else { throw ValidationError("--output is \(self.output); its name must end in .npy or .safetensors") }
    }

    func run() throws {
        // A reader that leaves early is a failed write, no reason to be killed without a word.
        signal(SIGPIPE, SIG_IGN)
        let layer = try self.layer.map { text throws(FileFailure) in try Self.layer(text) } ?? .inFile
        let file = try TensorFile.read(self.input)
        let input = Self.format(named: self.input) ?? FileNormalizer.Format(of: file.bytes)
        let pieces: [HTTPBodyPart]
        do throws(HTTPProblem) {
            pieces = try FileNormalizer(threadCount: self.threads ?? ProcessInfo.processInfo.activeProcessorCount)
                .normalize(
                    file.buffer,
                    file.range,
                    as: input,
                    by: layer,
                    outputType: self.outputDatatype,
                    to: Self.format(named: self.output) ?? input
                )
        } catch {
            throw FileFailure.refused(error)
        }
        try TensorFile.write(pieces, to: self.output)
    }

    /// The format that a name stands for; nil for standard input and output, and what has no name of its own.
    private static func format(named name: String) -> FileNormalizer.Format? {
        if name.hasSuffix(".npy") { return .npy }
        if name.hasSuffix(".safetensors") { return .safetensors }
        return nil
    }

    /// The layer that `--layer` describes or names the file of.
    static func layer(_ text: String) throws(FileFailure) -> FileNormalizer.Layer {
        if text.hasPrefix("@") {
            let name = String(text.dropFirst())
            let file = try TensorFile.read(name)
            return name.hasSuffix(".safetensors")
                ? .safetensors(file.buffer, file.range) : .json(file.buffer, file.range)
        }
        if text.drop(while: \.isWhitespace).hasPrefix("{") {
            let file = try TensorFile(Array(text.utf8))
            return .json(file.buffer, file.range)
        }
        // A type that needs no parameters may stand alone.
        return .query(text.contains("=") ? text : "type=\(text)")
    }
}
