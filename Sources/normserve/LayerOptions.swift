import ArgumentParser

/// Where the layers come from that requests call by their names.
struct LayerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The directory of the registered layers. Without it, layers that the administrator registers live as long as \
            the process. SIGHUP reads it again.
            """,
            valueName: "directory"
        )
    )
    var layers: String?

    @Option(
        help: ArgumentHelp(
            """
            A model's weights in safetensors: every normalization layer in it is registered under its key prefix, and \
            cannot be changed. May be given several times.
            """,
            valueName: "file"
        )
    )
    var checkpoint: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            A JSON file that says of a checkpoint's layers what their names and shapes do not tell: type, num_groups, eps.
            """,
            valueName: "file"
        )
    )
    var checkpointRules: String?

    func validate() throws {
        guard !self.checkpoint.contains("") else {
            throw ValidationError("--checkpoint is empty; it must be the path of a safetensors file")
        }
        guard self.checkpointRules?.isEmpty != true else {
            throw ValidationError("--checkpoint-rules is empty; it must be the path of a file")
        }
        guard self.checkpointRules == nil || !self.checkpoint.isEmpty else {
            throw ValidationError("--checkpoint-rules is for the layers of a --checkpoint, and there is none")
        }
        guard self.layers?.isEmpty != true else {
            throw ValidationError("--layers is empty; it must be the path of a directory")
        }
    }
}
