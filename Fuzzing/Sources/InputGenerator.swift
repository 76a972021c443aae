/// SplitMix64, begun with the hash of an input: decisions that the input makes without having bytes for them, so that a
/// seed is no more than the text that is read.
struct InputGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ input: UnsafeRawBufferPointer) {
        // FNV-1a
        self.state = input.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Cuts `bytes` into at most `limit` pieces, some of them empty.
    mutating func pieces(of bytes: [UInt8], atMost limit: Int) -> [ArraySlice<UInt8>] {
        let cuts = (1..<Int.random(in: 1...limit, using: &self))
            .map { _ in Int.random(in: 0...bytes.count, using: &self) }
            .sorted()
        return zip([0] + cuts, cuts + [bytes.count]).map { bytes[$0..<$1] }
    }
}
