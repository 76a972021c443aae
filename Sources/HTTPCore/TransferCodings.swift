/// The members of all Transfer-Encoding lines of a head, in order (RFC 9112 §6.1).
struct TransferCodings {
    private var chunkedCount = 0
    private var endsWithChunked = false
    private var hasOther = false
    private var hasInvalid = false

    /// Takes the value of one line.
    mutating func append(_ value: UnsafeRawBufferPointer) {
        value.forEachListMember { member in
            self.endsWithChunked = member.equalsIgnoringCase("chunked")
            if self.endsWithChunked {
                self.chunkedCount += 1
            } else if member.allSatisfy(\.isTokenCharacter) {
                self.hasOther = true
            } else {
                // RFC 9112 §7.1: chunked has no parameters; nothing else that has them is implemented.
                self.hasInvalid = true
            }
        }
    }

    /// Passes for `chunked` alone.
    func check() throws(HTTPError) {
        // RFC 9112 §6.3 (4): without chunked at the end the length is unknown. §6.1: chunked comes once.
        guard !self.hasInvalid, self.endsWithChunked, self.chunkedCount == 1 else { throw .invalidTransferEncoding }
        // RFC 9112 §6.1: a coding that is not understood is not implemented.
        guard !self.hasOther else { throw .unsupportedTransferCoding }
    }
}
