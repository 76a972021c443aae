import Tensors
import Testing

@testable import Normalization

/// Values that arithmetic trips over.
@Suite struct SpecialValueTests {
    private func layer(
        _ type: any NormalizationLayer.Type,
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) throws -> any NormalizationLayer {
        try type.init(LayerParameters(parameters))
    }

    /// One NaN or infinity in channel 1 of sample 0 reaches what shares its statistics and nothing else.
    @Test(arguments: [Double.nan, .infinity, -.infinity], ["channels_first", "channels_last"])
    func nonFiniteValuesStayAmongThemselves(value: Double, format: String) throws {
        let dimensions = format == "channels_first" ? [2, 4, 20] : [2, 20, 4]
        var generator = SeededGenerator(seed: 1)
        var values = (0..<160).map { _ in generator.normal() }
        values[format == "channels_first" ? 25 : 21] = value
        let formatted: [ParameterName: ParameterValue] = [.dataFormat: .text(format)]
        let running: [ParameterName: ParameterValue] = [
            .runningMean: try .vector([0, 0, 0, 0]), .runningVar: try .vector([1, 1, 1, 1]),
        ]
        let layers: [(any NormalizationLayer, Set<[Int]>)] = [
            (try layer(InstanceNorm.self, formatted), [[0, 1]]),
            (
                try layer(BatchNorm.self, formatted.merging([.useBatchStatistics: .boolean(true)]) { $1 }),
                [[0, 1], [1, 1]]
            ),
            (try layer(GroupNorm.self, formatted.merging([.groupCount: .integer(2)]) { $1 }), [[0, 0], [0, 1]]),
        ]
        let indices = ReferenceTensor(dimensions, values).indices
        for (_, kernels) in kernelSets {
            for (layer, affected) in layers {
                let results = try layer.apply(values, dimensions, kernels: kernels)
                for (index, result) in zip(indices, results) {
                    let key = [index[0], index[format == "channels_first" ? 1 : 2]]
                    #expect(result.isFinite != affected.contains(key))
                }
            }
            let frozen = try layer(BatchNorm.self, formatted.merging(running) { $1 })
            let results = try frozen.apply(values, dimensions, kernels: kernels)
            #expect(results.filter { !$0.isFinite }.count == 1)
        }
    }

    @Test func nonFiniteRowsStayAmongThemselves() throws {
        var values = (0..<60).map { Double($0 % 7) }
        values[25] = .nan
        for parameters in [[ParameterName.normalizedShape: ParameterValue.integers([20])]] {
            for type in [LayerNorm.self, RMSNorm.self] as [any NormalizationLayer.Type] {
                let results = try layer(type, parameters).apply(values, [3, 20])
                #expect(results.indices.filter { results[$0].isNaN } == Array(20..<40))
            }
        }
    }

    /// Constant data has no spread: β remains, exactly, with any eps.
    @Test(arguments: [0, 1e-5], [0, 0.1, 1e6, -12345.678])
    func zeroVarianceGivesBias(epsilon: Double, constant: Double) throws {
        let values = [Double](repeating: constant, count: 2 * 3 * 17)
        let bias = [0.5, -1, 0.25]
        let shared: [ParameterName: ParameterValue] = [.epsilon: .real(epsilon), .bias: try .vector(bias)]
        for (_, kernels) in kernelSets {
            for format in ["channels_first", "channels_last"] {
                let dimensions = format == "channels_first" ? [2, 3, 17] : [2, 17, 3]
                let more: [ParameterName: ParameterValue] = [.dataFormat: .text(format)]
                let layers = [
                    try layer(InstanceNorm.self, shared.merging(more) { $1 }),
                    try layer(GroupNorm.self, shared.merging(more) { $1 }.merging([.groupCount: .integer(1)]) { $1 }),
                    try layer(
                        BatchNorm.self,
                        shared.merging(more) { $1 }.merging([.useBatchStatistics: .boolean(true)]) { $1 }
                    ),
                ]
                let channels = ReferenceTensor(dimensions, values).indices.map {
                    $0[format == "channels_first" ? 1 : 2]
                }
                for layer in layers {
                    #expect(try layer.apply(values, dimensions, kernels: kernels) == channels.map { bias[$0] })
                }
            }
            let rows = try layer(LayerNorm.self, [.epsilon: .real(epsilon), .normalizedShape: .integers([51])])
            #expect(try rows.apply(values, [2, 51], kernels: kernels).allSatisfy { $0 == 0 })
        }
    }

    @Test func singleElementGivesBias() throws {
        let bias = try ParameterValue.vector([7, 8, 9])
        let instance = try layer(InstanceNorm.self, [.bias: bias])
        #expect(try instance.apply([1, 2, 3, 4, 5, 6], [2, 3]) == [7, 8, 9, 7, 8, 9])
        #expect(try instance.apply([1, 2, 3, 4, 5, 6], [2, 3, 1, 1]) == [7, 8, 9, 7, 8, 9])
        let results = try instance.apply([1, .nan, 3, .infinity, 5, -.infinity], [2, 3])
        #expect(results.indices.filter { results[$0].isNaN } == [1, 3, 5])
    }

    @Test func noElementsGiveNoElements() throws {
        let instance = try layer(InstanceNorm.self)
        #expect(try instance.apply([], [2, 3, 0]).isEmpty)
        #expect(try instance.apply([], [0, 3, 2], .uint8, into: .fp32).isEmpty)
        #expect(try layer(LayerNorm.self, [.axis: .integer(-1)]).apply([], [5, 0]).isEmpty)
        #expect(try layer(GroupNorm.self, [.groupCount: .integer(4)]).apply([], [2, 0, 3]).isEmpty)
    }

    /// Squares of these overflow or vanish in FP32; the statistics are then taken in FP64.
    @Test(arguments: [1e-25, 1e30, 1e37])
    func squaresBeyondFloatAreHandled(scale: Double) throws {
        let values = (0..<96).map { Double(Float(Double($0 % 5) * scale)) }
        for (_, kernels) in kernelSets {
            for (format, dimensions) in [("channels_first", [2, 3, 16]), ("channels_last", [2, 16, 3])] {
                let instance = try layer(
                    InstanceNorm.self,
                    [.epsilon: .real(0), .dataFormat: .text(format)]
                )
                let axis = format == "channels_first" ? 1 : 2
                let expected = Reference.instanceNorm(
                    ReferenceTensor(dimensions, values),
                    channelAxis: axis,
                    .init(0),
                    .init()
                )
                let results = try instance.apply(values, dimensions, kernels: kernels)
                #expect(zip(results, expected.elements).allSatisfy { ($0 - $1).magnitude < 2e-6 })
            }
            let rms = try layer(RMSNorm.self, [.axis: .integer(-1), .epsilon: .real(0)])
            let expected = Reference.rmsNorm(
                ReferenceTensor([6, 16], values),
                firstAxis: 1,
                epsilon: 0,
                weight: nil
            )
            let results = try rms.apply(values, [6, 16], kernels: kernels)
            #expect(zip(results, expected.elements).allSatisfy { ($0 - $1).magnitude < 2e-6 })
        }
    }

    /// Neither the alignment, nor the place of the output, nor the other rows change a bit.
    @Test func bitsDependOnTheDataOnly() throws {
        var generator = SeededGenerator(seed: 3)
        let values = (0..<3 * 101).map { _ in generator.normal() }
        let rows = try layer(LayerNorm.self, [.axis: .integer(-1)])
        for (_, kernels) in kernelSets {
            let whole = try rows.apply(values, [3, 101], kernels: kernels)
            for row in 0..<3 {
                for padding in 0..<4 {
                    let input = try Tensor(Array(values[row * 101..<row * 101 + 101]), [1, 101], padding: padding)
                    let alone = try rows.normalize(input, into: .fp32, kernels: kernels).output
                    #expect(alone.values == Array(whole[row * 101..<row * 101 + 101]))
                }
            }
        }
    }

    @Test func sameWidthStaysInPlace() throws {
        let rows = try layer(LayerNorm.self, [.axis: .integer(-1)])
        let pairs: [(DataType, DataType, Bool)] = [
            (.fp32, .fp32, true), (.fp16, .bf16, true), (.int32, .fp32, true), (.uint8, .fp32, false),
            (.fp32, .fp64, false),
        ]
        for (input, output, isInPlace) in pairs {
            let tensor = try Tensor([1, 2, 3, 4], [4], input)
            let result = try rows.normalize(tensor, into: output).output
            #expect((result.buffer === tensor.buffer) == isInPlace)
            #expect(result.dataType == output)
        }
    }

    @Test func largeIntegersLoseNothing() throws {
        // Neighbouring integers that FP32 cannot tell apart.
        let base = 2_000_000_000.0
        let layer = try layer(LayerNorm.self, [.axis: .integer(0), .epsilon: .real(0)])
        #expect(try layer.apply([base, base + 1], [2], .int32, into: .fp32) == [-1, 1])
        #expect(try layer.apply([base, base + 1], [2], .uint32, into: .fp16) == [-1, 1])
    }
}
