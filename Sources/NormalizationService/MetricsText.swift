/// Writes the text exposition format 0.0.4 of Prometheus.
struct MetricsText {
    /// What a number does over time.
    enum Kind: String {
        /// It only grows.
        case counter
        /// It goes up and down.
        case gauge
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Writes a family of one number.
    mutating func family(_ name: String, _ kind: Kind, help: String, _ value: Int) {
        self.begin(name, kind, help: help)
        self.text += "\(name) \(value)\n"
    }

    /// Writes a family of numbers, told apart by labels.
    mutating func family(
        _ name: String,
        _ kind: Kind,
        help: String,
        _ samples: some Sequence<(labels: [(name: String, value: String)], value: Int)>
    ) {
        self.begin(name, kind, help: help)
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            self.text += "\(name){\(labels.joined(separator: ","))} \(sample.value)\n"
        }
    }

    private mutating func begin(_ name: String, _ kind: Kind, help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    /// A label's value, in which a backslash, a line feed and a quotation mark are escaped.
    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
    }
}
