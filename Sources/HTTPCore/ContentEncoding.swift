/// The members of all Content-Encoding lines of a request (RFC 9110 §8.4).
struct ContentEncoding: Sendable {
    private var memberCount = 0
    private var hasUnknown = false

    /// What has to be undone; `nil` is identity.
    private(set) var coding: ContentCoding?

    /// Takes the value of one line.
    mutating func append(_ value: UnsafeRawBufferPointer) {
        value.forEachListMember { member in
            self.memberCount += 1
            if let coding = ContentCoding(member) {
                self.coding = coding
            } else if !member.equalsIgnoringCase("identity") {
                self.hasUnknown = true
            }
        }
    }

    /// One coding within another could make a few bytes as long as ever one likes; nobody needs it.
    var isSupported: Bool { !self.hasUnknown && self.memberCount <= 1 }
}
