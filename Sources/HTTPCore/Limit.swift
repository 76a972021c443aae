/// Everything that a client can run into, by the name of the option that sets it.
public enum Limit: String, CaseIterable, Sendable {
    // How much
    case requestLineBytes = "max-request-line-bytes"
    case headBytes = "max-head-bytes"
    case fields = "max-fields"
    case trailerBytes = "max-trailer-bytes"
    case trailerFields = "max-trailer-fields"
    case chunkExtensionBytes = "max-chunk-extension-bytes"
    case bodyBytes = "max-body-bytes"
    case jsonDepth = "max-json-depth"
    case elements = "max-elements"
    case inFlightBytes = "max-in-flight-bytes"
    case connections = "max-connections"
    case connectionsPerAddress = "max-connections-per-address"
    case requestsPerConnection = "max-requests-per-connection"

    // How long
    case handshakeTimeout = "handshake-timeout"
    case headTimeout = "head-timeout"
    case bodyRate = "min-body-rate"
    case idleTimeout = "idle-timeout"
    case writeTimeout = "write-timeout"
    case lingerTimeout = "linger-timeout"
}
