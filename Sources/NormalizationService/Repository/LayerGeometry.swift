import Normalization
import Tensors

/// What the shape of a layer's input must be, as far as its parameters tell.
struct LayerGeometry: Equatable, Sendable {
    /// How many dimensions there may be.
    let ranks: ClosedRange<Int>

    /// The lengths that are known, by axis; a negative axis counts from the end.
    let lengths: [Int: Int]

    /// The shape of inputs of some rank, with −1 where any length will do.
    func shape(rank: Int) -> [Int] {
        var shape = Array(repeating: -1, count: rank)
        for (axis, length) in self.lengths {
            let index = axis < 0 ? axis + rank : axis
            if shape.indices.contains(index) {
                shape[index] = length
            }
        }
        return shape
    }
}

extension LayerGeometry {
    init(_ definition: LayerDefinition) {
        let (type, values) = (definition.type, definition.values)
        if type[.dataFormat] != nil {
            let isLast = if case .text("channels_last") = values[.dataFormat] { true } else { false }
            self.init(ranks: 2...5, axis: isLast ? -1 : 1, length: Self.channelCount(values))
        } else if type[.normalizedShape] != nil {
            self.init(trailing: Self.normalizedShape(values), axis: Self.integer(values[.axis]))
        } else {
            let (axis, length): (Int, Int?) =
                switch type.name {
                case "standardize": (Self.integer(values[.axis]) ?? -1, Self.count(values[.mean]))
                case "dynamic_tanh": (-1, Self.count(values[.weight]) ?? Self.count(values[.bias]))
                case "weight_standardization": (0, Self.count(values[.gain]))
                case "weight_norm": (Self.integer(values[.dim]) ?? 0, Self.weightCount(values))
                default: (0, nil)
                }
            self.init(ranks: type.name == "weight_standardization" ? 2...5 : 1...5, axis: axis, length: length)
        }
    }

    private init(ranks: ClosedRange<Int>, axis: Int, length: Int?) {
        self.ranks = Self.ranks(ranks, with: axis)
        self.lengths = length.map { [axis: $0] } ?? [:]
    }

    private init(trailing dimensions: [Int], axis: Int?) {
        self.ranks = Self.ranks(1...5, with: axis ?? -max(1, dimensions.count))
        self.lengths = Dictionary(uniqueKeysWithValues: dimensions.enumerated().map { ($0 - dimensions.count, $1) })
    }

    /// An axis that is there only in inputs of some rank asks for that rank.
    private static func ranks(_ ranks: ClosedRange<Int>, with axis: Int) -> ClosedRange<Int> {
        let least = Int(clamping: axis < 0 ? axis.magnitude : axis.magnitude + 1)
        return max(ranks.lowerBound, min(least, ranks.upperBound))...ranks.upperBound
    }

    /// The parameters that have one element a channel, whatever the type.
    private static func channelCount(_ values: [ParameterName: ParameterValue]) -> Int? {
        let names: [ParameterName] = [.runningMean, .runningVar, .runningStd, .weight, .bias, .rho, .tau]
        return names.lazy.compactMap { Self.count(values[$0]) }.first
    }

    /// What is stated, or else the shape of γ or β where it reaches as far as `axis` says.
    private static func normalizedShape(_ values: [ParameterName: ParameterValue]) -> [Int] {
        switch values[.normalizedShape] {
        case .integers(let dimensions): return dimensions
        case .integer(let dimension): return [dimension]
        default: break
        }
        guard let axis = Self.integer(values[.axis]), axis < 0 else { return [] }
        for case .tensor(let tensor) in [values[.weight], values[.bias]]
        where tensor.shape.rank.magnitude == axis.magnitude {
            return tensor.shape.dimensions
        }
        return []
    }

    /// One of `weight_g` for each index along `dim`; for `dim: null` it is one for all.
    private static func weightCount(_ values: [ParameterName: ParameterValue]) -> Int? {
        if case .null = values[.dim] { nil } else { Self.count(values[.weightG]) }
    }

    private static func count(_ value: ParameterValue?) -> Int? {
        if case .tensor(let tensor) = value { tensor.shape.elementCount } else { nil }
    }

    private static func integer(_ value: ParameterValue?) -> Int? {
        if case .integer(let integer) = value { integer } else { nil }
    }
}
