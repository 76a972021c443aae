extension Int {
    /// Digits and nothing else: `Int("+5")` is 5, which is neither a length on the wire nor a size for an operator.
    public init?(decimalDigits digits: some StringProtocol) {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        self.init(digits)
    }
}
