import Testing

@testable import Normalization

@Suite struct InstructionSetTests {
    @Test func lowerOnesCanBeForced() {
        #expect(InstructionSet.chosen("baseline") == .baseline)
        #expect(InstructionSet.chosen("avx2") == min(.avx2, .best))
    }

    @Test func higherOnesCannot() {
        #expect(InstructionSet.chosen("avx512") == .best)
        #expect(InstructionSet.chosen(nil) == .best)
        #expect(InstructionSet.chosen("sse9") == .best)
        #expect(InstructionSet.current <= .best)
    }
}
