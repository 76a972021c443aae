/// Decisions that an input makes byte by byte, the last byte first. One that is used up decides for the first of all
/// possibilities.
struct Choices {
    /// What has decided nothing yet.
    private(set) var rest: UnsafeRawBufferPointer

    init(_ input: UnsafeRawBufferPointer) {
        self.rest = input
    }

    mutating func byte() -> UInt8 {
        guard let byte = self.rest.last else { return 0 }
        self.rest = UnsafeRawBufferPointer(rebasing: self.rest.dropLast())
        return byte
    }

    /// A number below `limit`, which is at most 65 536.
    mutating func number(below limit: Int) -> Int {
        let low = Int(self.byte())
        return (limit > 256 ? low + Int(self.byte()) << 8 : low) % limit
    }

    mutating func element<Element>(of list: [Element]) -> Element {
        list[self.number(below: list.count)]
    }
}
