import Tensors
import Testing

@testable import Normalization

@Suite struct LocalResponseNormTests {
    private func layer(_ parameters: [ParameterName: ParameterValue]) throws -> LocalResponseNorm {
        try LocalResponseNorm(LayerParameters(parameters))
    }

    @Test(arguments: 0..<80 as Range<UInt64>)
    func reference(seed: UInt64) throws {
        var scenario = try SpecialScenario(seed: seed, ranks: 2...5, limits: [0, 0, 90, 30, 12, 6])
        let isChannelsLast = Bool.random(using: &scenario.generator)
        let axis = isChannelsLast ? scenario.dimensions.count - 1 : 1
        let channelCount = scenario.dimensions[axis]
        // Short windows, some longer than what is summed directly, and some longer than all channels.
        let size =
            [
                1, 2, 5, Int.random(in: 1...40, using: &scenario.generator), 2 * channelCount + 3, 1_000_000_007,
            ].randomElement(using: &scenario.generator) ?? 5
        let alpha: Double = [0.0, 1e-4, 2.0].randomElement(using: &scenario.generator) ?? 1
        let beta: Double = [0.75, 0.5, 1.0, 0.0, -0.5, 2.25].randomElement(using: &scenario.generator) ?? 1
        let k: Double = [1.0, 2.0, 1e-3].randomElement(using: &scenario.generator) ?? 1
        let layer = try self.layer([
            .size: .integer(size), .alpha: .real(alpha), .beta: .real(beta), .k: .real(k),
            .dataFormat: .text(isChannelsLast ? "channels_last" : "channels_first"),
        ])
        let expected = Reference.localResponseNorm(
            scenario.x,
            channelAxis: axis,
            size: size,
            alpha: alpha,
            beta: beta,
            k: k
        )
        try scenario.check(layer, expected, comment: "seed \(seed), size \(size), beta \(beta)") { index in
            // FP64 on both sides, whatever the input: a rounding for each of the terms that the twin adds up, and some
            // more for squares, factor, power and quotient.
            0x1p-53 * Double(channelCount + 32) * max(1, beta.magnitude) * expected.elements[index].magnitude
        }
    }

    /// Many channels, long windows: no rounding adds up, and no sum takes the time of its window.
    @Test(arguments: [3, 16, 17, 5000, 1_000_000_000])
    func manyChannels(size: Int) throws {
        let channelCount = 20_011
        let values = (0..<channelCount).map { Double($0 % 97) / 16 }
        let result = try self.layer([.size: .integer(size), .alpha: .integer(size), .beta: .integer(1)])
            .apply(values, [1, channelCount], .fp64)
        // Sums of such numbers are exact in any order.
        var prefix = [0.0]
        for value in values { prefix.append((prefix.last ?? 0) + value * value) }
        let expected = values.indices.map { index in
            let (first, end) = (max(index - size / 2, 0), min(index + (size - 1) / 2 + 1, channelCount))
            return values[index] / (1 + (prefix[end] - prefix[first]))
        }
        #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude <= 1e-15 * max(1, $1.magnitude) })
    }

    /// The squares would be infinite in FP32.
    @Test func largeValues() throws {
        let result = try self.layer([.size: .integer(1), .alpha: .integer(1), .beta: .real(0.5)]).apply(
            [1e30, -2e25],
            [1, 2]
        )
        #expect(result == [1, -1])
    }

    /// NaN reaches the channels whose windows it lies in, at its position, and nothing else; infinity makes them zero.
    @Test(arguments: [1, 4, 5, 24, 25, 60], ["channels_first", "channels_last"])
    func nonFiniteValuesStayAmongNeighbours(size: Int, format: String) throws {
        let isChannelsLast = format == "channels_last"
        let dimensions = isChannelsLast ? [2, 3, 70] : [2, 70, 3]
        var generator = SeededGenerator(seed: 4)
        let finite = generator.uniform(420, in: 1...2)
        for value in [Double.nan, .infinity] {
            for channel in [0, 30, 69] {
                var x = ReferenceTensor(dimensions, finite)
                x[isChannelsLast ? [1, 2, channel] : [1, channel, 2]] = value
                let layer = try self.layer([.size: .integer(size), .dataFormat: .text(format)])
                for (name, kernels) in kernelSets {
                    let result = try layer.apply(x.elements, dimensions, kernels: kernels)
                    let expected = try layer.apply(finite, dimensions, kernels: kernels)
                    for (offset, index) in x.indices.enumerated() {
                        let (position, own) = isChannelsLast ? (index[1], index[2]) : (index[2], index[1])
                        let distance = channel - own
                        let isNeighbour =
                            index[0] == 1 && position == 2 && distance >= -(size / 2) && distance <= (size - 1) / 2
                        if !isNeighbour {
                            #expect(result[offset] == expected[offset], "\(name) \(index)")
                        } else if value.isNaN || own == channel {
                            #expect(result[offset].isNaN, "\(name) \(index)")
                        } else {
                            #expect(result[offset] == 0, "\(name) \(index)")
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [[1, 12, 150, 150], [15_000, 19], [1, 750, 17, 21]], [5, 40])
    func sameBits(dimensions: [Int], size: Int) throws {
        var generator = SeededGenerator(seed: 5)
        let values = generator.uniform(dimensions.reduce(1, *), in: -4...4)
        for format in ["channels_first", "channels_last"] {
            let layer = try self.layer([.size: .integer(size), .dataFormat: .text(format)])
            try expectSameBits(layer, values, dimensions, "\(dimensions) \(format)")
        }
    }

    @Test func parameters() throws {
        func error(
            _ parameters: [ParameterName: ParameterValue],
            _ dimensions: [Int] = [2, 3, 4]
        ) throws -> LayerError? {
            try layerError(LocalResponseNorm.self, parameters, dimensions)
        }
        func error(_ name: ParameterName, _ value: ParameterValue) throws -> LayerError? {
            try error([ParameterName.size: .integer(5)].merging([name: value]) { $1 })
        }
        #expect(try error([.size: .integer(.max)]) == nil)
        #expect(try error([:]) == .missingParameter(.size))
        #expect(try error(.size, .integer(0)) == .lessThanMinimum(.size, 0, minimum: 1))
        #expect(try error(.size, .integer(.min))?.parameter == .size)
        #expect(try error(.size, .real(5)) == .wrongKind(.size, expected: .integer))
        #expect(try error(.alpha, .real(-1e-9)) == .lessThanMinimum(.alpha, -1e-9, minimum: 0))
        #expect(try error(.alpha, .integer(0)) == nil)
        #expect(try error(.k, .integer(0)) == .notPositive(.k, 0))
        #expect(try error(.k, .integer(0))?.description == "k is 0.0; it must be greater than 0")
        for name in [ParameterName.alpha, .beta, .k] {
            #expect(try error(name, .text("1")) == .wrongKind(name, expected: .real))
            for value in [Double.nan, .infinity, -.infinity] {
                #expect(try error(name, .real(value)) == .notFinite(name))
            }
        }
        #expect(try error(.dataFormat, .text("NHWC"))?.parameter == .dataFormat)
        #expect(try error([.size: .integer(5)], [3]) == .unsupportedRank(1, supported: 2...5))
        #expect(try error([.size: .integer(5)], [2, 0, 4]) == nil)
        #expect(try error(.weight, .vector([1]))?.parameter == .weight)
    }
}
