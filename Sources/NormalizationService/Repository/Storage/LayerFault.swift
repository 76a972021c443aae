/// Something among the layers that is not used, and why: for the operator's log.
public struct LayerFault: Equatable, Sendable {
    /// The layer's name, or what stands in its place.
    public let layer: String

    public let version: String?

    public let reason: String

    init(layer: String, version: String? = nil, reason: String) {
        self.layer = layer
        self.version = version
        self.reason = reason
    }
}
