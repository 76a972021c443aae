/// What the server has to tell its operator.
public enum HTTPServerEvent: Equatable, Sendable, CustomStringConvertible {
    case listening(HTTPServerConfiguration.Address)
    /// Accepting rests for a moment, for want of descriptors or memory.
    case acceptingPaused(errorNumber: Int32)
    /// No further connection is accepted; the requests in work are finished.
    case draining
    /// `clean`: every request was finished in time.
    case stopped(clean: Bool)

    public var description: String {
        switch self {
        case .listening(let address): "listening on \(address)"
        case .acceptingPaused(let errorNumber): "accepting pauses: \(SystemError.text(errorNumber))"
        case .draining: "no longer listening; requests in work are finished"
        case .stopped(let clean): clean ? "stopped" : "stopped with requests unfinished"
        }
    }
}
