/// Why the repository cannot be opened or read at all; worded to follow the name of the option or the file.
public struct LayerRepositoryFailure: Error, CustomStringConvertible {
    public let description: String
}
