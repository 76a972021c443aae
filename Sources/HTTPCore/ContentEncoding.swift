/// The members of all Content-Encoding lines of a request (RFC 9110 §8.4).
struct ContentEncoding: Sendable {
    private var hasMember = false

    /// What has to be undone; `nil` is identity.
    private(set) var coding: ContentCoding?

    /// Whether it can be undone. One coding within another could make a few bytes as long as ever one likes; nobody
    /// needs it.
    private(set) var isSupported = true

    /// Takes the value of one line.
    mutating func append(_ value: UnsafeRawBufferPointer) {
        value.forEachListMember { member in
            let coding = ContentCoding(member)
            if self.hasMember || (coding == nil && !member.equalsIgnoringCase("identity")) { self.isSupported = false }
            self.coding = coding
            self.hasMember = true
        }
    }
}
