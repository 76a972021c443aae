import Tensors
import Testing

@testable import Normalization

/// One random input and how it is to be normalized.
struct Scenario {
    let dimensions: [Int]
    let values: [Double]
    let dataType: DataType
    let outputType: DataType
    let isChannelsLast: Bool
    let epsilon: Reference.Epsilon
    var parameters: [ParameterName: ParameterValue]
    var generator: SeededGenerator

    var channelAxis: Int { self.isChannelsLast ? self.dimensions.count - 1 : 1 }
    var channelCount: Int { self.dimensions[self.channelAxis] }
    var x: ReferenceTensor { ReferenceTensor(self.dimensions, self.values) }

    init(seed: UInt64, ranks: ClosedRange<Int> = 2...5) throws {
        var generator = SeededGenerator(seed: seed)
        let rank = Int.random(in: ranks, using: &generator)
        // Sizes around those of vectors, of blocks of rows, and of narrow channels.
        let limit = [0, 700, 40, 14, 7, 4][rank]
        self.dimensions = (0..<rank).map { _ in Int.random(in: 1...limit, using: &generator) }
        // Every fifth in FP64 throughout, where the least is forgiven.
        let isDouble = seed % 5 == 0
        self.dataType = isDouble ? .fp64 : DataType.allCases.randomElement(using: &generator) ?? .fp32
        self.outputType = isDouble ? .fp64 : [.fp16, .bf16, .fp32, .fp64].randomElement(using: &generator) ?? .fp32
        self.isChannelsLast = Bool.random(using: &generator)
        let count = self.dimensions.reduce(1, *)
        let offset = (isDouble ? [0, 100, 1_000_000] : [0, 3, 100]).randomElement(using: &generator) ?? 0
        let type = self.dataType
        let raw = (0..<count).map { _ -> Double in
            switch type {
            case .bool: Double(Int.random(in: 0...1, using: &generator))
            case .uint8, .uint16, .uint32, .uint64: Double(Int.random(in: 0...255, using: &generator))
            case .int8, .int16: Double(Int.random(in: -128...127, using: &generator))
            case .int32, .int64: Double(Int.random(in: -1_000_000_000...1_000_000_000, using: &generator))
            default: generator.normal() + Double(offset)
            }
        }
        self.values = try Tensor(raw, self.dimensions, self.dataType).values
        let epsilon = [1e-5, 1e-3, 0.5].randomElement(using: &generator) ?? 1e-5
        self.epsilon = Reference.Epsilon(epsilon, isAddedToStandardDeviation: Bool.random(using: &generator))
        self.parameters = [
            .epsilon: .real(epsilon),
            .epsilonPlacement: .text(self.epsilon.isAddedToStandardDeviation ? "std" : "variance"),
        ]
        self.generator = generator
    }

    /// γ and β, each there or not.
    mutating func makeAffine(_ count: Int) throws -> Reference.Affine {
        var affine = Reference.Affine()
        if Bool.random(using: &self.generator) {
            affine.weight = self.generator.uniform(count, in: -2...2)
        }
        if Bool.random(using: &self.generator) {
            affine.bias = self.generator.uniform(count, in: -2...2)
        }
        // FP64 parameters hold the same numbers, and take another way.
        let type: DataType = Bool.random(using: &self.generator) ? .fp32 : .fp64
        self.parameters[.weight] = try affine.weight.map { try .vector($0, type) }
        self.parameters[.bias] = try affine.bias.map { try .vector($0, type) }
        return affine
    }

    /// What a parameter of one number per channel, or the like, may be made from.
    mutating func makeVector(_ count: Int, in range: ClosedRange<Double>) throws -> ([Double], ParameterValue) {
        let values = self.generator.uniform(count, in: range)
        return (values, try .vector(values, Bool.random(using: &self.generator) ? .fp32 : .fp64))
    }

    /// What may be forgiven for an element: the larger these are, the more.
    struct Bounds {
        var weight: ([Int]) -> Double = { _ in 1 }
        var bias: ([Int]) -> Double = { _ in 0 }
        var peak: ([Int]) -> Double = { _ in 0 }

        init() {}

        init(_ affine: Reference.Affine, position: @escaping ([Int]) -> Int) {
            self.weight = { index in affine.weight?[position(index)] ?? 1 }
            self.bias = { index in affine.bias?[position(index)] ?? 0 }
        }
    }

    /// The largest result among those that have a key in common: what several differently large terms may cancel to,
    /// where y is an affine function of x, is less than that of another x.
    func peaks(of y: ReferenceTensor, _ key: @escaping ([Int]) -> [Int]) -> ([Int]) -> Double {
        // The elements that FP64 is asked for are of one size.
        guard self.dataType != .fp64 else { return { _ in 0 } }
        var peaks: [[Int]: Double] = [:]
        for index in y.indices {
            peaks[key(index)] = max(peaks[key(index)] ?? 0, y[index].magnitude)
        }
        return { [peaks] index in peaks[key(index)] ?? 0 }
    }

    /// Runs the layer with every instruction set, and holds it against the reference.
    func check(
        _ layer: any NormalizationLayer,
        _ expected: ReferenceTensor,
        _ affine: Reference.Affine,
        position: @escaping ([Int]) -> Int,
        comment: Comment
    ) throws {
        try self.check(layer, expected, Bounds(affine, position: position), comment: comment)
    }

    /// The same, of a type that is found by its name.
    func check(_ typeName: String, _ expected: ReferenceTensor, _ bounds: Bounds, comment: Comment) throws {
        let type = try #require(LayerType.named(typeName))
        let layer = try type.makeLayer(LayerParameters(self.parameters))
        try self.check(layer, expected, bounds, comment: "\(typeName) \(comment)")
    }

    private func check(
        _ layer: any NormalizationLayer,
        _ expected: ReferenceTensor,
        _ bounds: Bounds,
        comment: Comment
    ) throws {
        let tolerances = zip(expected.indices, expected.elements).map { index, element in
            tolerance(
                element,
                weight: bounds.weight(index),
                bias: bounds.bias(index),
                peak: bounds.peak(index),
                computesInDouble: self.dataType.computesInDouble,
                output: self.outputType
            )
        }
        for (name, kernels) in kernelSets {
            let results = try layer.apply(
                self.values,
                self.dimensions,
                self.dataType,
                into: self.outputType,
                kernels: kernels
            )
            #expect(results.count == expected.elements.count)
            let worst = results.indices.map { offset in
                let element = expected.elements[offset]
                // IEEE 754: what rounds to more than the largest finite FP16 is infinite.
                if self.outputType == .fp16, element.magnitude >= 65520 {
                    return results[offset] == element.sign.infinity ? 0 : Double.infinity
                }
                let error = (results[offset] - element).magnitude
                return error.isNaN ? .infinity : error / tolerances[offset]
            }.max()
            #expect(
                worst ?? 0 <= 1,
                "\(comment) \(name) \(self.dimensions) \(self.dataType) to \(self.outputType), last \(self.isChannelsLast)"
            )
        }
    }
}

extension FloatingPointSign {
    fileprivate var infinity: Double { self == .plus ? .infinity : -.infinity }
}
