/// A moment as `IMF-fixdate`, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
public struct HTTPDate: Sendable {
    private static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Since 1970-01-01T00:00:00Z.
    public let seconds: Int

    let text: [UInt8]

    /// - Parameter seconds: since 1970-01-01T00:00:00Z, not negative.
    public init(seconds: Int) {
        self.seconds = seconds
        let days = seconds / 86_400
        let (year, month, day) = Self.civilDate(days: days)
        let time = seconds % 86_400
        let fields = [time / 3_600, time / 60 % 60, time % 60].map(Self.twoDigits)
        self.text = Array(
            """
            \(Self.dayNames[(days + 4) % 7]), \(Self.twoDigits(day)) \(Self.monthNames[month - 1]) \(year) \
            \(fields.joined(separator: ":")) GMT
            """.utf8
        )
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Howard Hinnant's `civil_from_days`, for days after 1970-01-01.
    private static func civilDate(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
