import ArgumentParser

/// A duration on the command line: `500ms`, `10s`, `2m`.
struct TimeLimit: Equatable, ExpressibleByArgument {
    let duration: Duration
    private let text: String

    init?(argument: String) {
        let milliseconds = [("ms", 1), ("s", 1_000), ("m", 60_000)]
        guard let unit = milliseconds.first(where: { argument.hasSuffix($0.0) }),
            let number = Int(decimalDigits: argument.dropLast(unit.0.count))
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.1)
        guard !overflow else { return nil }
        self.duration = .milliseconds(product)
        self.text = argument
    }

    init(seconds: Int) {
        self.duration = .seconds(seconds)
        self.text = "\(seconds)s"
    }

    var defaultValueDescription: String { self.text }
}

extension TimeLimit: CustomStringConvertible {
    var description: String { self.text }
}
