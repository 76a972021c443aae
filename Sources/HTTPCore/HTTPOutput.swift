import AlignedMemory

/// What is to be sent, and how much of it has been.
public struct HTTPOutput: Sendable {
    /// Sent first.
    public internal(set) var head: [UInt8] = []

    public internal(set) var body: [HTTPBodyPart] = []

    /// How many bytes of the first piece that is not yet sent have been sent.
    public private(set) var offset = 0

    /// The first piece that is not yet sent: 0 is the head, 1 the first part of the body.
    public private(set) var piece = 0

    /// Whether everything has been sent.
    public var isEmpty: Bool { self.piece > self.body.count }

    /// Starts anew.
    mutating func begin() {
        self.head.removeAll(keepingCapacity: true)
        self.body = []
        (self.piece, self.offset) = (0, 0)
    }

    mutating func advance(by count: Int) {
        self.offset += count
        while !self.isEmpty {
            let size = self.piece == 0 ? self.head.count : self.body[self.piece - 1].count
            guard self.offset >= size else { return }
            self.offset -= size
            self.piece += 1
        }
        precondition(self.offset == 0, "no more can be sent than there is")
    }
}

extension HTTPBodyPart {
    /// In bytes.
    public var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .buffer(_, let range): range.count
        }
    }

    func isPart(of buffer: AlignedBuffer) -> Bool {
        if case .buffer(let own, _) = self { own === buffer } else { false }
    }
}
