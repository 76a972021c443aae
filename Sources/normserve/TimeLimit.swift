import ArgumentParser
import HTTPCore

/// A duration on the command line: `500ms`, `10s`, `2m`.
struct TimeLimit: Equatable {
    let duration: Duration

    private static let maximumMilliseconds = 24 * 60 * 60_000

    private let text: String

    init?(_ argument: String) {
        let milliseconds = [("ms", 1), ("s", 1_000), ("m", 60_000)]
        guard let unit = milliseconds.first(where: { argument.hasSuffix($0.0) }),
            let number = Int(decimalDigits: argument.dropLast(unit.0.count))
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.1)
        guard !overflow, (1...Self.maximumMilliseconds).contains(product) else { return nil }
        self.duration = .milliseconds(product)
        self.text = argument
    }

    init(seconds: Int) {
        self.duration = .seconds(seconds)
        self.text = "\(seconds)s"
    }

    static func parsed(_ argument: String) throws(ValidationError) -> TimeLimit {
        guard let limit = Self(argument) else {
            throw ValidationError("a duration is a whole number of ms, s or m, such as 10s, from 1ms to a day")
        }
        return limit
    }
}

extension TimeLimit: CustomStringConvertible {
    var description: String { self.text }
}
