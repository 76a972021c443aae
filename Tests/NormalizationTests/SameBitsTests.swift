import Foundation
import Tensors
import Testing

@testable import Normalization

/// The result depends on the data that it is computed from, bit for bit, and on nothing else: not on the number of
/// threads, nor on where the tensor lies, nor on where the output goes, nor on what else is in the batch.
@Suite struct SameBitsTests {
    /// The cases of the types that exist.
    private static let cases = LayerCase.all.filter { LayerType.named($0.typeName) != nil }

    @Test func everyTypeHasCases() {
        #expect(Set(LayerType.all.map(\.name)).isSubset(of: LayerCase.all.map(\.typeName)))
    }

    // MARK: - Threads

    /// Random numbers, again and again: a tensor that is large enough for eight threads, made in no time.
    private static func tensor(_ dimensions: [Int], _ dataType: DataType) throws -> Tensor {
        let shape = try Shape(dimensions)
        let block = try #require(Self.blocks[dataType])
        let tensor = try Tensor(uninitialized: dataType, shape: shape)
        withExtendedLifetime((tensor, block)) {
            for start in stride(from: 0, to: tensor.byteCount, by: block.byteCount) {
                let part = UnsafeMutableRawBufferPointer(rebasing: tensor.bytes[start...])
                part.copyBytes(from: block.bytes.prefix(part.count))
            }
        }
        return tensor
    }

    private static let blocks: [DataType: Tensor] = {
        var generator = SeededGenerator(seed: 21)
        let numbers = (0..<16_381).map { _ in generator.normal() * 2 + 1 }
        var blocks: [DataType: Tensor] = [:]
        for dataType in [DataType.fp16, .fp32, .fp64, .int32] {
            let scale = dataType == .int32 ? 0x1p20 : 1
            blocks[dataType] = try? Tensor(numbers.map { $0 * scale }, [numbers.count], dataType)
        }
        return blocks
    }()

    private static func areSame(_ a: Tensor, _ b: Tensor) -> Bool {
        withExtendedLifetime((a, b)) {
            guard let first = a.bytes.baseAddress, let second = b.bytes.baseAddress else { return false }
            return a.byteCount == b.byteCount && memcmp(first, second, a.byteCount) == 0
        }
    }

    /// Few large samples, many small ones, long rows and short ones, channels that are narrow and very long ones.
    private static let largeInputs: [(input: LayerCase.Input, from: DataType, to: DataType)] = [
        (.init(dimensions: [4, 64, 64, 64]), .fp32, .fp32),
        (.init(dimensions: [4, 64, 64, 64], isChannelsLast: true), .fp32, .fp32),
        (.init(dimensions: [3, 5, 70_001]), .fp32, .fp32),
        (.init(dimensions: [700, 2, 750]), .fp16, .fp16),
        (.init(dimensions: [2, 900, 151]), .fp64, .fp64),
        (.init(dimensions: [2, 75, 100, 27], isChannelsLast: true), .int32, .fp32),
        (.init(dimensions: [1, 1100, 900], isChannelsLast: true), .fp32, .fp32),
        (.init(dimensions: [1, 1500, 700], isChannelsLast: true), .fp16, .fp16),
    ]

    @Test(arguments: cases)
    func threadsChangeNothing(layerCase: LayerCase) throws {
        for (input, inputType, outputType) in Self.largeInputs {
            let layer = try layerCase.layer(for: input)
            func run(_ threadCount: Int) throws -> Tensor {
                let tensor = try Self.tensor(input.dimensions, inputType)
                return try layer.normalize(tensor, into: outputType, threadCount: threadCount).output
            }
            let alone = try run(1)
            for threadCount in [2, 3, 8] {
                let isSame = try Self.areSame(alone, run(threadCount))
                #expect(isSame, "\(threadCount) threads, \(input.dimensions), \(inputType) to \(outputType)")
            }
        }
    }

    // MARK: - Places

    /// Shapes that end within a vector, and channels that are narrower than one.
    private static let smallInputs: [LayerCase.Input] = [
        .init(dimensions: [3, 4, 5, 7]), .init(dimensions: [2, 9, 37]), .init(dimensions: [5, 67]),
        .init(dimensions: [3, 6, 5, 4], isChannelsLast: true), .init(dimensions: [2, 50, 21], isChannelsLast: true),
        .init(dimensions: [2, 3, 2, 3, 3]), .init(dimensions: [2, 3, 260], isChannelsLast: true),
    ]

    private static func values(_ input: LayerCase.Input, seed: UInt64 = 22, _ dataType: DataType) -> [Double] {
        var generator = SeededGenerator(seed: seed)
        return (0..<input.elementCount).map { _ in
            dataType.isFloatingPoint ? generator.normal() * 2 + 1 : Double(Int.random(in: 0...120, using: &generator))
        }
    }

    @Test(arguments: cases)
    func alignmentChangesNothing(layerCase: LayerCase) throws {
        let types: [DataType] = [.int8, .fp16, .fp64, .uint8, .bf16, .int32, .fp16]
        for (number, input) in Self.smallInputs.enumerated() {
            let layer = try layerCase.layer(for: input)
            for dataType in [.fp32, types[number]] {
                // Conversions have no eye for alignment of their own: a few places are enough.
                let paddings = dataType == .fp32 ? Array(1..<16) : [1, 7]
                let values = Self.values(input, dataType)
                let outputType: DataType = dataType.isFloatingPoint ? dataType : .fp32
                for (name, kernels) in kernelSets {
                    func run(_ padding: Int) throws -> [UInt8] {
                        let tensor = try Tensor(values, input.dimensions, dataType, padding: padding)
                        return try layer.normalize(tensor, into: outputType, kernels: kernels).output.bits
                    }
                    let aligned = try run(0)
                    let changed = try paddings.filter { try run($0) != aligned }
                    #expect(changed.isEmpty, "\(name), \(input.dimensions), \(dataType)")
                }
            }
        }
    }

    /// FP64 holds every result of FP32 and FP16, and what stands there rounds to what stands in place.
    @Test(arguments: cases)
    func placeOfOutputChangesNothing(layerCase: LayerCase) throws {
        let pairs: [(DataType, inPlace: DataType, elsewhere: DataType)] = [
            (.fp32, .fp32, .fp64), (.int32, .fp32, .fp64), (.fp16, .fp16, .fp32), (.fp16, .bf16, .fp64),
            (.fp64, .fp64, .fp32),
        ]
        for input in Self.smallInputs {
            let layer = try layerCase.layer(for: input)
            for (inputType, typeInPlace, typeElsewhere) in pairs {
                let values = Self.values(input, inputType)
                for (name, kernels) in kernelSets {
                    func run(_ outputType: DataType) throws -> Tensor {
                        let tensor = try Tensor(values, input.dimensions, inputType)
                        let output = try layer.normalize(tensor, into: outputType, kernels: kernels).output
                        #expect((output.buffer === tensor.buffer) == (outputType == typeInPlace))
                        return output
                    }
                    let (inPlace, elsewhere) = (try run(typeInPlace), try run(typeElsewhere))
                    // The wider of the two, rounded to the type of the other.
                    let (wide, narrow) =
                        typeInPlace.byteWidth > typeElsewhere.byteWidth ? (inPlace, elsewhere) : (elsewhere, inPlace)
                    let rounded = try Tensor(wide.values, input.dimensions, narrow.dataType)
                    #expect(
                        rounded.bits == narrow.bits,
                        "\(name), \(input.dimensions), \(inputType) into \(typeInPlace) and \(typeElsewhere)"
                    )
                }
            }
        }
    }

    // MARK: - Neighbours

    /// What other samples or channels may hold.
    private static let intruders: [Double] = [.nan, .infinity, 1e30, 1e-40, 0]

    @Test(arguments: cases.filter(\.isPerSample))
    func otherSamplesChangeNothing(layerCase: LayerCase) throws {
        for (number, input) in Self.smallInputs.enumerated() {
            let dataType: DataType = number == 1 ? .fp64 : [2, 6].contains(number) ? .fp16 : .fp32
            let layer = try layerCase.layer(for: input)
            let values = Self.values(input, dataType)
            let length = input.elementCount / input.sampleCount
            for (name, kernels) in kernelSets {
                // The work is cut in another way where there are more threads than samples.
                func bits(
                    _ values: [Double],
                    _ layer: any NormalizationLayer,
                    _ dimensions: [Int],
                    threadCount: Int = 1
                ) throws -> [UInt8] {
                    let tensor = try Tensor(values, dimensions, dataType)
                    return try layer.normalize(tensor, into: dataType, threadCount: threadCount, kernels: kernels)
                        .output.bits
                }
                let batch = try bits(values, layer, input.dimensions)
                for sample in [0, input.sampleCount - 1] {
                    let elements = sample * length..<(sample + 1) * length
                    let bytes = elements.lowerBound * dataType.byteWidth..<elements.upperBound * dataType.byteWidth
                    var alone = input
                    alone.dimensions[0] = 1
                    alone.firstSample = sample
                    let result = try bits(
                        Array(values[elements]),
                        layerCase.layer(for: alone),
                        alone.dimensions,
                        threadCount: 3
                    )
                    #expect(result == Array(batch[bytes]), "\(name), \(input.dimensions), sample \(sample) alone")
                    let intruders = try Self.intruders.filter { intruder in
                        var hostile = values.map { _ in intruder }
                        hostile.replaceSubrange(elements, with: values[elements])
                        return try bits(hostile, layer, input.dimensions)[bytes] != batch[bytes]
                    }
                    #expect(intruders.isEmpty, "\(name), \(input.dimensions), beside sample \(sample)")
                }
            }
        }
    }

    @Test(arguments: cases.filter(\.isPerChannel))
    func otherChannelsChangeNothing(layerCase: LayerCase) throws {
        for (number, input) in Self.smallInputs.enumerated() {
            let dataType: DataType = number == 1 ? .fp64 : number == 2 ? .fp16 : .fp32
            let layer = try layerCase.layer(for: input)
            let values = Self.values(input, dataType)
            let inner = input.dimensions[(input.channelAxis + 1)...].reduce(1, *)
            let channels = values.indices.map { $0 / inner % input.channelCount }
            for (name, kernels) in kernelSets {
                func results(_ values: [Double]) throws -> [Double] {
                    try layer.apply(values, input.dimensions, dataType, kernels: kernels)
                }
                let undisturbed = try results(values)
                for channel in [0, input.channelCount - 1] {
                    let intruders = try Self.intruders.filter { intruder in
                        let disturbed = try results(zip(values, channels).map { $1 == channel ? $0 : intruder })
                        return !values.indices.allSatisfy {
                            channels[$0] != channel || disturbed[$0].bitPattern == undisturbed[$0].bitPattern
                        }
                    }
                    #expect(intruders.isEmpty, "\(name), \(input.dimensions), beside channel \(channel)")
                }
            }
        }
    }
}
