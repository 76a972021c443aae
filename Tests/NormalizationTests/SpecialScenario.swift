import Tensors
import Testing

@testable import Normalization

/// A random input, for layers that are held against FP64 twins of their own.
struct SpecialScenario {
    let dimensions: [Int]
    let values: [Double]
    let dataType: DataType
    let outputType: DataType
    var generator: SeededGenerator

    var x: ReferenceTensor { ReferenceTensor(self.dimensions, self.values) }

    /// - Parameter limits: the largest dimension for each rank; the first is for rank 0.
    init(seed: UInt64, ranks: ClosedRange<Int>, limits: [Int] = [0, 5000, 90, 20, 8, 5]) throws {
        var generator = SeededGenerator(seed: seed)
        let rank = Int.random(in: ranks, using: &generator)
        self.dimensions = (0..<rank).map { _ in Int.random(in: 1...limits[rank], using: &generator) }
        self.dataType = DataType.allCases.randomElement(using: &generator) ?? .fp32
        self.outputType = [.fp16, .bf16, .fp32, .fp64].randomElement(using: &generator) ?? .fp32
        let scale: Double = [0.1, 1.0, 30.0].randomElement(using: &generator) ?? 1
        let type = self.dataType
        let raw = (0..<self.dimensions.reduce(1, *)).map { _ -> Double in
            switch type {
            case .bool: Double(Int.random(in: 0...1, using: &generator))
            case .uint8, .uint16, .uint32, .uint64: Double(Int.random(in: 0...200, using: &generator))
            case .int8, .int16, .int32, .int64: Double(Int.random(in: -100...100, using: &generator))
            default: generator.normal() * scale
            }
        }
        self.values = try Tensor(raw, self.dimensions, self.dataType).values
        self.generator = generator
    }

    /// Holds the layer against its twin with every instruction set.
    ///
    /// - Parameter error: what the computation of an element may differ by, before it is rounded.
    /// - Returns: what the layer said of σ, if anything.
    @discardableResult
    func check(
        _ layer: any NormalizationLayer,
        _ expected: ReferenceTensor,
        comment: Comment,
        error: (_ index: Int) -> Double
    ) throws -> Double? {
        var sigma: Double?
        for (name, kernels) in kernelSets {
            let input = try Tensor(self.values, self.dimensions, self.dataType)
            let normalized = try layer.normalize(input, into: self.outputType, kernels: kernels)
            sigma = normalized.sigma
            var wrongCount = 0
            for (index, result) in normalized.output.values.enumerated() {
                let exact = expected.elements[index]
                // A result in FP32 is rounded to it, whatever the output's type.
                let intermediate = self.dataType.computesInDouble ? 0 : max(exact.magnitude * 0x1p-24, 0x1p-150)
                let bound = error(index) + intermediate
                if self.outputType == .fp16, exact.magnitude + bound >= 65504 { continue }
                // Half a unit in the last place of the output's type, or of its subnormal numbers.
                let rounding =
                    switch self.outputType {
                    case .fp16: max((exact.magnitude + bound) * 0x1p-11, 0x1p-25)
                    case .bf16: max((exact.magnitude + bound) * 0x1p-8, 0x1p-134)
                    case .fp32: max((exact.magnitude + bound) * 0x1p-24, 0x1p-150)
                    default: 0.0
                    }
                if !((result - exact).magnitude <= bound + rounding) { wrongCount += 1 }
            }
            #expect(wrongCount == 0, "\(comment) \(name) \(self.dimensions) \(self.dataType) to \(self.outputType)")
        }
        return sigma
    }
}

/// Runs a layer on one to five threads, in place and not, and expects the same bits, and the same σ.
func expectSameBits(
    _ layer: any NormalizationLayer,
    _ values: [Double],
    _ dimensions: [Int],
    _ comment: Comment
) throws {
    for (name, kernels) in kernelSets {
        let expected = try layer.normalize(Tensor(values, dimensions), into: .fp32, kernels: kernels)
        for threadCount in [2, 5] {
            let input = try Tensor(values, dimensions, padding: threadCount)
            let normalized = try layer.normalize(input, into: .fp32, threadCount: threadCount, kernels: kernels)
            #expect(normalized.output.bits == expected.output.bits, "\(comment) \(name) \(threadCount) threads")
            #expect(normalized.sigma?.bitPattern == expected.sigma?.bitPattern, "\(comment) \(name)")
        }
        // Elements of another size have to go elsewhere; FP64 holds what FP32 was rounded to.
        let wide = try layer.normalize(Tensor(values, dimensions), into: .fp64, threadCount: 2, kernels: kernels)
        #expect(wide.output.values == expected.output.values, "\(comment) \(name) not in place")
    }
}

/// The error that making the layer and normalizing a tensor of zeros ends with.
func layerError(
    _ type: any NormalizationLayer.Type,
    _ parameters: [ParameterName: ParameterValue],
    _ dimensions: [Int]
) throws -> LayerError? {
    let input = try Tensor([Double](repeating: 0, count: dimensions.reduce(1, *)), dimensions)
    do {
        _ = try type.init(LayerParameters(parameters)).normalize(input, into: .fp32)
        return nil
    } catch {
        return error
    }
}
