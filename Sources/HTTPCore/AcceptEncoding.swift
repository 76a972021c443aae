/// The members of all Accept-Encoding lines of a request (RFC 9110 §12.5.3).
struct AcceptEncoding: Sendable {
    // Weights in thousandths; `nil` for what is not mentioned. Small, as every head has them.
    private var gzip: Int16?
    private var deflate: Int16?
    private var identity: Int16?
    private var anyOther: Int16?

    /// Takes the value of one line.
    mutating func append(_ value: UnsafeRawBufferPointer) {
        value.forEachListMember { member in
            let nameEnd = member.firstIndex(of: UInt8(ascii: ";")) ?? member.count
            let name = member.slice(0..<nameEnd).trimmingBlanks()
            // A member that says something else than a weight is not understood, and asks for nothing.
            guard let weight = Self.weight(member.slice(nameEnd..<member.count)) else { return }
            switch ContentCoding(name) {
            case .gzip: self.gzip = Self.lower(self.gzip, weight)
            case .deflate: self.deflate = Self.lower(self.deflate, weight)
            case nil where name.equalsIgnoringCase("identity"): self.identity = Self.lower(self.identity, weight)
            case nil where name.equalsIgnoringCase("*"): self.anyOther = Self.lower(self.anyOther, weight)
            case nil: break
            }
        }
    }

    /// The coding that the client would rather have than the content as it is; `nil` if there is none.
    ///
    /// Where it forbids identity and all others, it gets identity: RFC 9110 §12.5.3 wants no error.
    var preferred: ContentCoding? {
        let gzip = self.gzip ?? self.anyOther ?? 0
        let deflate = self.deflate ?? self.anyOther ?? 0
        let best = max(gzip, deflate)
        guard best > 0, best >= self.identity ?? 0 else { return nil }
        return gzip >= deflate ? .gzip : .deflate
    }

    /// What is said twice is taken for the less eager of the two.
    private static func lower(_ earlier: Int16?, _ weight: Int16) -> Int16 { min(earlier ?? weight, weight) }

    /// Reads `OWS ";" OWS "q=" qvalue` (RFC 9110 §12.4.2).
    ///
    /// - Returns: the weight in thousandths, 1000 if `text` is empty; `nil` if it is something else.
    private static func weight(_ text: UnsafeRawBufferPointer) -> Int16? {
        guard !text.isEmpty else { return 1_000 }
        let parameter = text.slice(1..<text.count).trimmingBlanks()
        guard parameter.count > 2, parameter[0].lowercased == UInt8(ascii: "q"), parameter[1] == UInt8(ascii: "=")
        else { return nil }
        let number = parameter.slice(2..<parameter.count)
        // "0" or "1", and up to three digits behind a point.
        guard number[0] == UInt8(ascii: "0") || number[0] == UInt8(ascii: "1"), number.count <= 5 else { return nil }
        if number.count > 1, number[1] != UInt8(ascii: ".") { return nil }
        var (weight, unit) = (Int16(number[0] - UInt8(ascii: "0")) * 1_000, Int16(100))
        for digit in number.dropFirst(2) {
            guard digit.isDigit else { return nil }
            weight += Int16(digit - UInt8(ascii: "0")) * unit
            unit /= 10
        }
        return weight <= 1_000 ? weight : nil
    }
}
