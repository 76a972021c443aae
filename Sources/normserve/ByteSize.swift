import ArgumentParser
import HTTPCore

/// A number of bytes on the command line: `65536`, `64KiB`, `256MiB`, `1GiB`.
struct ByteSize: Equatable {
    let bytes: Int

    static let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

    init(bytes: Int) {
        self.bytes = bytes
    }

    init?(_ argument: String) {
        let unit = Self.units.first { argument.hasSuffix($0.0) }
        let digits = argument.dropLast(unit?.0.count ?? 0)
        guard let number = Int(decimalDigits: digits) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    static func parsed(_ argument: String) throws(ValidationError) -> ByteSize {
        guard let size = Self(argument) else {
            throw ValidationError("a size is a whole number of bytes, KiB, MiB or GiB, such as 64MiB")
        }
        return size
    }
}

extension ByteSize: CustomStringConvertible {
    /// With the largest unit that divides it.
    var description: String {
        guard self.bytes > 0, let unit = Self.units.first(where: { self.bytes % $0.1 == 0 }) else {
            return "\(self.bytes)"
        }
        return "\(self.bytes / unit.1)\(unit.0)"
    }
}
