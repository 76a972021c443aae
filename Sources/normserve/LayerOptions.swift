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

    func validate() throws {
        guard self.layers?.isEmpty != true else {
            throw ValidationError("--layers is empty; it must be the path of a directory")
        }
    }
}
