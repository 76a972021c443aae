/// The options of `serve` that the environment sets: `NORMSERVE_MAX_BODY_BYTES` for `--max-body-bytes`.
struct ServeEnvironment {
    /// Every option of `serve` without its dashes. A test compares the list with the command's help.
    static let optionNames = [
        "host", "port", "unix-socket", "threads", "log-level", "log-format", "compression-level",
        "layers", "checkpoint", "checkpoint-rules",
        "tls-certificate", "tls-key", "tls-client-ca",
        "api-key-file", "admin-key-file", "metrics-access",
        "max-body-bytes", "max-json-depth", "max-elements", "max-request-line-bytes", "max-head-bytes", "max-fields",
        "max-trailer-bytes", "max-trailer-fields", "max-chunk-extension-bytes", "max-in-flight-bytes",
        "max-connections", "max-connections-per-address", "max-requests-per-connection",
        "handshake-timeout", "head-timeout", "body-grace", "min-body-rate", "idle-timeout", "write-timeout",
        "linger-timeout", "drain-timeout",
    ]

    private let variables: [String: String]

    init(_ variables: [String: String]) {
        self.variables = variables
    }

    static func variableName(of option: String) -> String {
        "NORMSERVE_" + option.uppercased().replacing("-", with: "_")
    }

    /// The value of the option's variable; an empty one is none.
    subscript(option: String) -> String? {
        self.variables[Self.variableName(of: option)].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The arguments with what the environment says put before them, so that the command line has the last word.
    func completing(_ arguments: [String]) -> [String] {
        let isServe = arguments.first.map { $0 == "serve" || $0.hasPrefix("-") } ?? true
        let informational = ["--version", "--help", "-h"]
        guard isServe, !arguments.contains(where: informational.contains) else { return arguments }
        let fromEnvironment = Self.optionNames.compactMap { name in self[name].map { "--\(name)=\($0)" } }
        guard !fromEnvironment.isEmpty else { return arguments }
        return ["serve"] + fromEnvironment + (arguments.first == "serve" ? arguments.dropFirst() : arguments[...])
    }

    /// The variable that a message about an option is really about, if it is set.
    func variable(blamedBy message: String) -> String? {
        Self.optionNames.first { message.contains("--\($0)") && self[$0] != nil }.map(Self.variableName)
    }
}
