import HTTPCore
import TensorFormats

/// The content of a request that lists, loads or unloads models: none, or a JSON object, whatever its media type says.
struct ModelControl {
    /// `ready` of a request for the list: leave out what is not.
    private(set) var wantsReadyOnly = false

    /// Whether a request to load brings a configuration, or files.
    private(set) var bringsConfiguration = false

    init(_ message: HTTPRequestMessage, maximumDepth: Int) throws(HTTPProblem) {
        guard let buffer = message.buffer, !message.bodyRange.isEmpty else { return }
        do throws(TensorFormatError) {
            try self.read(UnsafeRawBufferPointer(buffer[message.bodyRange]), maximumDepth)
        } catch {
            throw HTTPProblem(error)
        }
        withExtendedLifetime(buffer) {}
    }

    private mutating func read(_ json: UnsafeRawBufferPointer, _ maximumDepth: Int) throws(TensorFormatError) {
        var reader = try JSONReader(json, nestingLimit: maximumDepth)
        var control = self
        try reader.readOpenObject { (reader, key) throws(TensorFormatError) in
            switch key {
            case "ready": control.wantsReadyOnly = try reader.readBoolean()
            case "parameters":
                try reader.readOpenObject { (_, key) throws(TensorFormatError) in
                    control.bringsConfiguration =
                        control.bringsConfiguration || key == "config" || key.hasPrefix("file:")
                    return false
                }
            default: return false
            }
            return true
        }
        try reader.finish()
        self = control
    }
}
