import Foundation
import Tensors
import Testing

@testable import Normalization

@Suite struct DynamicTanhTests {
    private func layer(_ parameters: [ParameterName: ParameterValue]) throws -> DynamicTanh {
        try DynamicTanh(LayerParameters(parameters))
    }

    /// tanh by a kernel, without weight and bias.
    private func tangents(_ x: [Float], _ kernels: KernelSet) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        kernels.float.scaledTanh(x, &y, x.count, 1, [Float](repeating: 1, count: x.count), nil)
        return y
    }

    /// As the kernel's derivation says, for every exponent and where its two ways meet.
    @Test func withinOneAndAHalfUnitsInTheLastPlace() {
        var generator = SeededGenerator(seed: 1)
        var x: [Float] = []
        for exponent in 0...254 as ClosedRange<UInt32> {
            for _ in 0..<40 {
                let mantissa = UInt32.random(in: 0..<1 << 23, using: &generator)
                x.append(
                    Float(bitPattern: UInt32.random(in: 0...1, using: &generator) << 31 | exponent << 23 | mantissa)
                )
            }
        }
        for _ in 0..<60_000 {
            x.append(Float.random(in: -2...2, using: &generator))
            x.append(Float.random(in: -12...12, using: &generator))
        }
        for center in [0.5, 0.549306, 1, 9, 9.0109, 10] as [Float] {
            var below = center
            var above = center
            for _ in 0..<500 {
                x += [below, above]
                below = below.nextDown
                above = above.nextUp
            }
        }
        for (name, kernels) in kernelSets {
            var worst = 0.0
            for (x, y) in zip(x, self.tangents(x, kernels)) {
                let exact = tanh(Double(x))
                worst = max(
                    worst,
                    (Double(y) - exact).magnitude / Double(max(Float(exact).ulp, .leastNonzeroMagnitude))
                )
            }
            #expect(worst <= 1.5, "\(name)")
        }
    }

    @Test func specialValues() {
        let tiny = Float.leastNonzeroMagnitude
        let x: [Float] = [0, -0, .infinity, -.infinity, .nan, tiny, -tiny, .leastNormalMagnitude, 100, -3e38]
        for (name, kernels) in kernelSets {
            // Alone, and among so many that they fill vectors.
            for copies in [1, 5] {
                let y = self.tangents(Array(repeating: x, count: copies).joined().map { $0 }, kernels)
                let expected: [Float] = [0, -0, 1, -1, .nan, tiny, -tiny, .leastNormalMagnitude, 1, -1]
                for (index, result) in y.enumerated() {
                    let right = expected[index % x.count]
                    #expect(result.isNaN == right.isNaN, "\(name)")
                    #expect(right.isNaN || result.bitPattern == right.bitPattern, "\(name) \(x[index % x.count])")
                }
            }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func reference(seed: UInt64) throws {
        var scenario = try SpecialScenario(seed: seed, ranks: 1...5)
        let count = scenario.dimensions[scenario.dimensions.count - 1]
        let alpha = Double(Float.random(in: -1...1, using: &scenario.generator))
        var affine = Reference.Affine()
        if Bool.random(using: &scenario.generator) {
            affine.weight = scenario.generator.uniform(count, in: -2...2)
        }
        if Bool.random(using: &scenario.generator) {
            affine.bias = scenario.generator.uniform(count, in: -2...2)
        }
        let type: DataType = Bool.random(using: &scenario.generator) ? .fp32 : .fp64
        var parameters: [ParameterName: ParameterValue] = [
            .alpha: Bool.random(using: &scenario.generator) ? .real(alpha) : try .vector([alpha])
        ]
        parameters[.weight] = try affine.weight.map { try .vector($0, type) }
        parameters[.bias] = try affine.bias.map { try .vector($0, type) }
        let expected = Reference.dynamicTanh(scenario.x, alpha: alpha, affine)
        let u = scenario.dataType.computesInDouble ? 0x1p-53 : 0x1p-24
        try scenario.check(layer(parameters), expected, comment: "seed \(seed)") { index in
            // The product with alpha, which tanh makes no larger; tanh within 1.5 units, 3 u, or 2 units and as many of
            // the twin in FP64; the product with the weight; the sum.
            let product = (expected.elements[index] - (affine.bias?[index % count] ?? 0)).magnitude
            return u * (10 * product + 2 * (affine.bias?[index % count].magnitude ?? 0)) + .leastNonzeroMagnitude
                + (scenario.dataType.computesInDouble ? 0 : 0x1p-148)
        }
    }

    @Test(arguments: [[150, 4099], [20_001, 30], [1, 600_003]])
    func sameBits(dimensions: [Int]) throws {
        var generator = SeededGenerator(seed: 2)
        let values = generator.uniform(dimensions.reduce(1, *), in: -4...4)
        let weight = generator.uniform(dimensions[1], in: -2...2)
        let layer = try self.layer([.alpha: .real(0.7), .weight: .vector(weight), .bias: .vector(weight)])
        try expectSameBits(layer, values, dimensions, "\(dimensions)")
    }

    /// An element's result depends neither on where it stands nor on how many there are.
    @Test func sameBitsAtEveryPlace() {
        var generator = SeededGenerator(seed: 3)
        let x = (0..<100).map { _ in Float.random(in: -3...3, using: &generator) }
        for (name, kernels) in kernelSets {
            let whole = self.tangents(x, kernels)
            for start in 0..<40 {
                #expect(
                    self.tangents(Array(x[start..<start + 23]), kernels) == Array(whole[start..<start + 23]),
                    "\(name)"
                )
            }
        }
    }

    /// alpha in FP32 would be zero or infinite, but not so its product with x.
    @Test func alphaBeyondFP32() throws {
        let y = try self.layer([.alpha: .real(1e-45)]).apply([1e38, -1e38, 0], [3])
        #expect(
            y == [
                Double(Float(tanh(1e-45 * Double(Float(1e38))))), -Double(Float(tanh(1e-45 * Double(Float(1e38))))), 0,
            ]
        )
        #expect(try self.layer([.alpha: .real(1e40)]).apply([0, 1e-20, -1], [3]) == [0, 1, -1])
    }

    @Test func parameters() throws {
        func error(_ parameters: [ParameterName: ParameterValue], _ dimensions: [Int] = [2, 3]) throws -> LayerError? {
            try layerError(DynamicTanh.self, parameters, dimensions)
        }
        #expect(try error([.alpha: .integer(1)]) == nil)
        #expect(try error([:]) == .missingParameter(.alpha))
        #expect(try error([.alpha: .text("x")]) == .wrongKind(.alpha, expected: .realOrTensor))
        #expect(try error([.alpha: .real(.nan)]) == .notFinite(.alpha))
        #expect(try error([.alpha: .vector([.infinity])]) == .notFinite(.alpha))
        #expect(
            try error([.alpha: .vector([1, 1])]) == .countMismatch(.alpha, elementCount: 2, expected: 1)
        )
        for name in [ParameterName.weight, .bias] {
            #expect(try error([.alpha: .real(1), name: .real(1)]) == .wrongKind(name, expected: .tensor))
            #expect(
                try error([.alpha: .real(1), name: .vector([1, 1])])
                    == .axisLengthMismatch(name, elementCount: 2, length: 3, axis: 1)
            )
            let square = ParameterValue.tensor(try Tensor([1, 1, 1, 1], [2, 2]))
            #expect(
                try error([.alpha: .real(1), name: square], [2, 4])
                    == .shapeMismatch(name, Shape([2, 2]), expected: [4])
            )
        }
        #expect(try error([.alpha: .real(1)], []) == .unsupportedRank(0, supported: 1...5))
        #expect(try error([.alpha: .real(1)], [1, 1, 1, 1, 1, 1]) == .unsupportedRank(6, supported: 1...5))
        #expect(try error([.alpha: .real(1)], [3, 0]) == nil)
        #expect(try error([.alpha: .real(1), .epsilon: .real(1)])?.parameter == .epsilon)
    }
}
