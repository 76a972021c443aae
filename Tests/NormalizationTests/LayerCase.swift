import Tensors
import Testing

@testable import Normalization

/// A way to use a layer type on an input of any shape from rank 2 on: what tests of all types are made from.
struct LayerCase: Sendable, CustomTestStringConvertible {
    /// The input, or the part of it that is normalized alone.
    struct Input: Sendable {
        var dimensions: [Int]
        var isChannelsLast = false

        /// Where its first sample stands in the whole input: parameters that each sample has of its own stay with it.
        var firstSample = 0

        var channelAxis: Int { self.isChannelsLast ? self.dimensions.count - 1 : 1 }
        var sampleCount: Int { self.dimensions[0] }
        var channelCount: Int { self.dimensions[self.channelAxis] }
        var elementCount: Int { self.dimensions.reduce(1, *) }

        /// The spatial axes, or the channels' where there is none.
        var spatialAxes: [Int] {
            self.dimensions.count == 2 ? [1] : self.dimensions.indices.dropFirst().filter { $0 != self.channelAxis }
        }

        /// The same numbers for the same seed: one per channel.
        func perChannel(_ seed: UInt64, in range: ClosedRange<Double> = -1...1) throws -> ParameterValue {
            try .vector(Self.numbers(seed, self.channelCount, range))
        }

        /// One per sample.
        func perSample(_ seed: UInt64, in range: ClosedRange<Double> = -1...1) throws -> ParameterValue {
            let numbers = Self.numbers(seed, self.firstSample + self.sampleCount, range)
            return try .vector(Array(numbers[self.firstSample...]))
        }

        /// One per channel of each sample.
        func perSampleAndChannel(_ seed: UInt64, in range: ClosedRange<Double>) throws -> ParameterValue {
            let (first, count) = (self.firstSample * self.channelCount, self.sampleCount * self.channelCount)
            let numbers = Array(Self.numbers(seed, first + count, range)[first...])
            return .tensor(try Tensor(numbers, [self.sampleCount, self.channelCount]))
        }

        /// One for each element of the axes from `axis` on.
        func perElement(from axis: Int, _ seed: UInt64, in range: ClosedRange<Double> = -1...1) throws -> ParameterValue
        {
            try .vector(Self.numbers(seed, self.dimensions[axis...].reduce(1, *), range))
        }

        static func numbers(_ seed: UInt64, _ count: Int, _ range: ClosedRange<Double>) -> [Double] {
            var generator = SeededGenerator(seed: seed)
            // Again and again for large inputs, whose parameters take longer to make than to use.
            let numbers = generator.uniform(min(count, 4093), in: range)
            return count > numbers.count ? (0..<count).map { numbers[$0 % numbers.count] } : numbers
        }
    }

    let typeName: String
    let note: String

    /// Whether a sample alone gives what it gives within a batch.
    let isPerSample: Bool

    /// Whether no channel has a say in what becomes of another, wherever the channels are.
    let isPerChannel: Bool

    private let make: @Sendable (Input) throws -> [String: ParameterValue]

    var testDescription: String { self.note.isEmpty ? self.typeName : "\(self.typeName), \(self.note)" }

    init(
        _ typeName: String,
        _ note: String = "",
        perSample: Bool = false,
        perChannel: Bool = false,
        _ make: @escaping @Sendable (Input) throws -> [String: ParameterValue]
    ) {
        self.typeName = typeName
        self.note = note
        self.isPerSample = perSample
        self.isPerChannel = perChannel
        self.make = make
    }

    /// The layer for an input; its data format is said where the type has one.
    func layer(
        for input: Input,
        _ more: [ParameterName: ParameterValue] = [:]
    ) throws -> any NormalizationLayer {
        let type = try #require(LayerType.named(self.typeName))
        var parameters = try Dictionary(
            uniqueKeysWithValues: self.make(input).map { (ParameterName(rawValue: $0.key), $0.value) }
        )
        if type[.dataFormat] != nil {
            parameters[.dataFormat] = .text(input.isChannelsLast ? "channels_last" : "channels_first")
        }
        return try type.makeLayer(LayerParameters(parameters.merging(more) { $1 }))
    }
}

/// Every type at least once, in each of the ways in which it computes.
extension LayerCase {
    private static func running(
        _ input: Input,
        _ more: [String: ParameterValue] = [:]
    ) throws -> [String: ParameterValue] {
        let statistics: [String: ParameterValue] = [
            "running_mean": try input.perChannel(1), "running_var": try input.perChannel(2, in: 0.5...2),
            "weight": try input.perChannel(3), "bias": try input.perChannel(4),
        ]
        return statistics.merging(more) { $1 }
    }

    static let all = Self.single + Self.composed + Self.weights

    private static let single = [
        Self("batch_norm", perSample: true, perChannel: true) { try running($0) },
        Self("batch_norm", "of the batch", perChannel: true) {
            ["use_batch_statistics": .boolean(true), "weight": try $0.perChannel(3)]
        },
        Self("layer_norm", "of samples", perSample: true) {
            ["axis": .integer(1), "weight": try $0.perElement(from: 1, 3), "bias": try $0.perElement(from: 1, 4)]
        },
        Self("layer_norm", "of rows", perSample: true) { input in
            ["axis": .integer(-1), "weight": try input.perElement(from: input.dimensions.count - 1, 3)]
        },
        Self("instance_norm", perSample: true, perChannel: true) {
            ["weight": try $0.perChannel(3), "bias": try $0.perChannel(4)]
        },
        Self("instance_norm", "running", perSample: true, perChannel: true) {
            try running($0, ["use_running_statistics": .boolean(true)])
        },
        Self("group_norm", perSample: true) { input in
            let divisor = (2...max(2, input.channelCount)).first { input.channelCount % $0 == 0 } ?? 1
            return ["num_groups": .integer(divisor), "bias": try input.perChannel(4)]
        },
        Self("rms_norm", "of samples", perSample: true) {
            ["axis": .integer(1), "weight": try $0.perElement(from: 1, 3)]
        },
        Self("rms_norm", "of rows", perSample: true) { _ in ["axis": .integer(-1)] },
        Self("filter_response_norm", perSample: true, perChannel: true) {
            ["weight": try $0.perChannel(3), "bias": try $0.perChannel(4), "tau": try $0.perChannel(5)]
        },
        Self("global_response_norm", perSample: true) {
            ["weight": try $0.perChannel(3), "bias": try $0.perChannel(4)]
        },
        Self("local_response_norm", perSample: true) { _ in ["size": .integer(3)] },
        Self("dynamic_tanh", perSample: true) { input in
            let last = input.dimensions.count - 1
            return ["alpha": .real(0.5), "weight": try input.perElement(from: last, 3)]
        },
    ]

    private static let composed = [
        Self("batch_renorm", perSample: true, perChannel: true) { try running($0) },
        Self("batch_renorm", "of the batch", perChannel: true) {
            try running($0, ["use_batch_statistics": .boolean(true), "d_max": .real(0.1)])
        },
        Self("batch_instance_norm", perSample: true, perChannel: true) {
            try running($0, ["rho": try $0.perChannel(5, in: 0...1)])
        },
        Self("switchable_norm", perSample: true) {
            try running($0, ["mean_weight": .vector([0.5, -0.5, 1]), "var_weight": .vector([-1, 1, 0])])
        },
        Self("adaptive_instance_norm", "of numbers", perSample: true, perChannel: true) {
            ["style_mean": try $0.perChannel(5), "style_std": try $0.perChannel(6, in: 0...2)]
        },
        Self("adaptive_instance_norm", "of numbers of each sample", perSample: true, perChannel: true) {
            [
                "style_mean": try $0.perSampleAndChannel(5, in: -1...1),
                "style_std": try $0.perSampleAndChannel(6, in: 0...2),
            ]
        },
        Self("adaptive_instance_norm", "of a style", perSample: true, perChannel: true) { input in
            let dimensions = input.isChannelsLast ? [1, 3, input.channelCount] : [1, input.channelCount, 3]
            let numbers = Input.numbers(7, 3 * input.channelCount, -1...1)
            return ["style": .tensor(try Tensor(numbers, dimensions))]
        },
    ]

    private static let weights = [
        Self("weight_norm", perSample: true) { ["weight_g": try $0.perSample(5)] },
        Self("weight_norm", "of channels", perChannel: true) {
            ["weight_g": try $0.perChannel(5), "dim": .integer($0.channelAxis)]
        },
        Self("weight_standardization", perSample: true) { ["gain": try $0.perSample(5)] },
        Self("spectral_norm") { _ in ["n_power_iterations": .integer(2)] },
        Self("standardize", "of the last axis", perSample: true) { input in
            let last = input.dimensions.count - 1
            return ["mean": try input.perElement(from: last, 5), "std": try input.perElement(from: last, 6, in: 1...2)]
        },
        Self("standardize", "of channels", perSample: true, perChannel: true) {
            [
                "mean": try $0.perChannel(5), "std": try $0.perChannel(6, in: 0.5...2),
                "axis": .integer($0.channelAxis),
            ]
        },
        Self("mean_variance_norm") { _ in [:] },
        Self("mean_variance_norm", "of samples", perSample: true) {
            ["axes": .integers(Array($0.dimensions.indices.dropFirst()))]
        },
        Self("mean_variance_norm", "of channels", perChannel: true) { input in
            ["axes": .integers(input.dimensions.indices.filter { $0 != input.channelAxis })]
        },
        Self("mean_variance_norm", "of positions", perSample: true) { ["axes": .integers($0.spatialAxes)] },
        Self("lp_norm", perSample: true) { _ in [:] },
        Self("lp_norm", "of axis 1", perSample: true) { _ in ["axis": .integer(1), "p": .integer(1)] },
        Self("lp_norm", "of samples", perChannel: true) { _ in ["axis": .integer(0), "p": .text("inf")] },
    ]
}
