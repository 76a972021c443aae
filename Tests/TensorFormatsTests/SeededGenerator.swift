import Foundation

/// A small random generator (SplitMix64, Steele et al. 2014): the same numbers in every run, unless
/// `TENSOR_FORMATS_SEED` asks for others.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ stream: UInt64, function: String = #function) {
        let seed = ProcessInfo.processInfo.environment["TENSOR_FORMATS_SEED"].flatMap { UInt64($0) } ?? 20_261_121
        print("\(function): seed \(seed), stream \(stream)")
        self.state = seed &* 0x9e37_79b9_7f4a_7c15 &+ stream
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
