import Tensors
import Testing

@Suite struct BFloat16Tests {
    @Test func everyValueSurvivesTheWayThroughFloat() {
        for pattern in UInt16.min...UInt16.max {
            let value = BFloat16(bitPattern: pattern)
            let back = BFloat16(Float(value))
            #expect(back == value || (Float(value).isNaN && Float(back).isNaN), "bit pattern \(pattern)")
        }
    }

    @Test(
        arguments: [
            (Float(bitPattern: 0x3f80_8000), 0x3f80),  // halfway, down to even
            (Float(bitPattern: 0x3f81_8000), 0x3f82),  // halfway, up to even
            (Float(bitPattern: 0x3f80_8001), 0x3f81),
            (Float(bitPattern: 0x7f7f_ffff), 0x7f80),  // rounds to infinity
            (-0.0, 0x8000),
            (.infinity, 0x7f80),
            (Float(bitPattern: 0x0000_8000), 0x0000),  // a subnormal halfway to the first BF16
        ] as [(Float, UInt16)]
    )
    func roundsToNearestEven(value: Float, pattern: UInt16) {
        #expect(BFloat16(value).bitPattern == pattern)
    }

    @Test func aNaNWhoseUpperHalfIsEmptyStaysNaN() {
        #expect(Float(BFloat16(Float(bitPattern: 0x7f80_0001))).isNaN)
    }
}
