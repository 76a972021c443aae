import Tensors

@testable import Normalization

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Standard normal enough: the sum of twelve uniform numbers.
    mutating func normal() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }

    mutating func uniform(_ count: Int, in range: ClosedRange<Double> = 0...1) -> [Double] {
        (0..<count).map { _ in Double(Float.random(in: Float(range.lowerBound)...Float(range.upperBound), using: &self))
        }
    }
}

/// The kernel sets that this processor can run.
let kernelSets = InstructionSet.allCases.filter { $0 <= .best }.map { (name: $0, kernels: KernelSet.of($0)) }

extension Tensor {
    /// A tensor of these values, rounded to the type, `padding` elements into its buffer.
    init(_ values: [Double], _ dimensions: [Int], _ dataType: DataType = .fp32, padding: Int = 0) throws {
        let storage = try Tensor(uninitialized: dataType, shape: Shape([values.count + padding]))
        self = Tensor(
            dataType,
            shape: try Shape(dimensions),
            in: storage.buffer,
            at: padding * dataType.byteWidth
        )
        func fill<Element: BitwiseCopyable>(_ convert: (Double) -> Element) {
            let elements = self.elements(as: Element.self)
            for (index, value) in values.enumerated() { elements[index] = convert(value) }
        }
        switch dataType {
        case .bool, .uint8: fill { UInt8($0) }
        case .uint16: fill { UInt16($0) }
        case .uint32: fill { UInt32($0) }
        case .uint64: fill { UInt64($0) }
        case .int8: fill { Int8($0) }
        case .int16: fill { Int16($0) }
        case .int32: fill { Int32($0) }
        case .int64: fill { Int64($0) }
        case .fp16: fill { Float16($0) }
        case .bf16: fill { BFloat16(Float($0)) }
        case .fp32: fill { Float($0) }
        case .fp64: fill { $0 }
        }
    }

    /// The elements, widened exactly (64-bit integers to the nearest).
    var values: [Double] {
        func read<Element: BitwiseCopyable>(_ convert: (Element) -> Double) -> [Double] {
            withExtendedLifetime(self) { self.elements(as: Element.self).map(convert) }
        }
        switch self.dataType {
        case .bool, .uint8: return read { (x: UInt8) in Double(x) }
        case .uint16: return read { (x: UInt16) in Double(x) }
        case .uint32: return read { (x: UInt32) in Double(x) }
        case .uint64: return read { (x: UInt64) in Double(x) }
        case .int8: return read { (x: Int8) in Double(x) }
        case .int16: return read { (x: Int16) in Double(x) }
        case .int32: return read { (x: Int32) in Double(x) }
        case .int64: return read { (x: Int64) in Double(x) }
        case .fp16: return read { (x: Float16) in Double(x) }
        case .bf16: return read { (x: BFloat16) in Double(Float(x)) }
        case .fp32: return read { (x: Float) in Double(x) }
        case .fp64: return read { (x: Double) in x }
        }
    }

    /// The bytes, to compare results bit by bit.
    var bits: [UInt8] {
        withExtendedLifetime(self) { Array(self.bytes) }
    }
}

extension NormalizationLayer {
    /// What the layer makes of some values.
    func apply(
        _ values: [Double],
        _ dimensions: [Int],
        _ dataType: DataType = .fp32,
        into outputType: DataType? = nil,
        kernels: KernelSet = .current
    ) throws -> [Double] {
        let input = try Tensor(values, dimensions, dataType)
        return try self.normalize(input, into: outputType ?? dataType, kernels: kernels).output.values
    }
}

extension ParameterValue {
    /// A flat tensor.
    static func vector(_ values: [Double], _ dataType: DataType = .fp32) throws -> Self {
        .tensor(try Tensor(values, [values.count], dataType))
    }
}

/// What a result may differ from the exact one: the roundings of the computation, then that of the output.
///
/// In FP64 1e-14·max(1, |y|), ninety units of rounding, as NORMALIZATION.md asks. In FP32 u is half a unit in the last
/// place. A normalized element takes at most five roundings (difference, remainder, scale, product, sum), each relative
/// to |γ·z| or to |β|; blocks of lanes add a few u of a standard deviation to the mean, and to the variance relative to
/// itself.
///
/// - Parameter peak: the largest of what cancels on the way to the result, where it may be larger than γ·z.
func tolerance(
    _ expected: Double,
    weight: Double,
    bias: Double,
    peak: Double = 0,
    computesInDouble: Bool,
    output: DataType
) -> Double {
    let product = max((expected - bias).magnitude, peak)
    let computation =
        computesInDouble
        ? 1e-14 * max(1, expected.magnitude, peak) : 0x1p-21 * (product + weight.magnitude + bias.magnitude)
    switch output {
    case .fp16: return computation + max(expected.magnitude * 0x1p-11, 0x1p-25)
    case .bf16: return computation + max(expected.magnitude * 0x1p-8, 0x1p-134)
    case .fp32: return computation + expected.magnitude * 0x1p-24
    default: return computation
    }
}
