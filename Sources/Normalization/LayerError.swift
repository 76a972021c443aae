public import Tensors

/// Why a layer cannot be made, or cannot normalize an input.
public enum LayerError: Error, Equatable {
    /// The layer type has no parameter of that name.
    case unknownParameter(ParameterName, layerType: String)
    /// A required parameter is absent, and so is the one that could stand in its place.
    case missingParameter(ParameterName, substitute: ParameterName? = nil)
    /// A parameter is not a tensor, a number, a flag, … as it should be.
    case wrongKind(ParameterName, expected: ParameterKind)
    /// A parameter is none of the words that it may be.
    case unknownChoice(ParameterName, String, allowed: [String])
    /// Two parameters say the same thing, maybe differently.
    case conflictingParameters(ParameterName, ParameterName)
    /// eps is negative or not finite.
    case invalidEpsilon(Double)
    /// num_groups is less than 1.
    case invalidGroupCount(Int)
    /// The groups would not be of equal size.
    case groupCountDoesNotDivide(Int, channelCount: Int)
    /// normalized_shape names no dimension.
    case emptyNormalizedShape
    /// normalized_shape is not the end of the input's shape.
    case normalizedShapeMismatch([Int], inputShape: Shape)
    /// axis, dim or one of the axes is not an axis of the input.
    case axisOutOfRange(Int, rank: Int, ParameterName)
    /// axes names no axis.
    case emptyAxes
    /// axes names an axis twice, maybe once from the end.
    case duplicateAxis(Int)
    /// A parameter per channel does not have one element per channel.
    case channelCountMismatch(ParameterName, elementCount: Int, channelCount: Int, axis: Int)
    /// A parameter does not have one element for each of the normalized dimensions' elements.
    case elementCountMismatch(ParameterName, elementCount: Int, normalizedShape: [Int], expected: Int)
    /// A parameter per index along an axis does not have one element for each.
    case axisLengthMismatch(ParameterName, elementCount: Int, length: Int, axis: Int)
    /// A parameter has neither one element per channel nor one per channel of each sample.
    case styleCountMismatch(ParameterName, elementCount: Int, channelCount: Int, sampleCount: Int)
    /// A parameter does not have the number of elements that it has for any input.
    case countMismatch(ParameterName, elementCount: Int, expected: Int)
    /// A parameter has the right number of elements in another arrangement.
    case shapeMismatch(ParameterName, Shape, expected: [Int])
    /// style is no tensor of samples and channels.
    case unsupportedStyleRank(Int, supported: ClosedRange<Int>)
    /// style has neither one sample nor as many as the input.
    case styleSampleCountMismatch(Int, sampleCount: Int)
    /// style has other channels than the input.
    case styleChannelCountMismatch(Int, axis: Int, channelCount: Int)
    /// style has no element to take statistics of.
    case emptyStyle(Shape)
    /// The layer does not take inputs of that rank.
    case unsupportedRank(Int, supported: ClosedRange<Int>)
    /// Outputs are of floating types only.
    case unsupportedOutputType(DataType)
    /// A variance is negative or not a number.
    case negativeVariance(ParameterName, index: Int)
    /// A variance is zero, and eps is zero too.
    case zeroVariance(ParameterName, index: Int)
    /// A standard deviation is negative or not a number.
    case negativeDeviation(ParameterName, index: Int)
    /// A standard deviation that is divided by is not greater than zero.
    case deviationNotPositive(ParameterName, index: Int)
    /// An element does not lie in [0, 1].
    case notAProportion(ParameterName, index: Int)
    /// A number is less than it may be, or not a number.
    case lessThanMinimum(ParameterName, Double, minimum: Double)
    /// p is neither 1 nor 2 nor infinite.
    case unsupportedOrder(Double)
    /// A number is NaN or infinite.
    case notFinite(ParameterName)
    /// A number is not greater than zero.
    case notPositive(ParameterName, Double)
    /// A count is too small, or greater than anyone needs.
    case outOfRange(ParameterName, Int, ClosedRange<Int>)
    /// σ has not settled in as many steps as there may be.
    case notConverged(stepCount: Int)
    /// σ is zero, but the weight is not.
    case zeroSigma
    /// There is no memory for the output or for the coefficients.
    case outOfMemory(byteCount: Int)

    /// The parameter to blame, if it is one.
    public var parameter: ParameterName? {
        switch self {
        case .unknownParameter(let name, _), .missingParameter(let name, _), .wrongKind(let name, _),
            .unknownChoice(let name, _, _), .conflictingParameters(_, let name),
            .channelCountMismatch(let name, _, _, _), .elementCountMismatch(let name, _, _, _),
            .axisLengthMismatch(let name, _, _, _), .styleCountMismatch(let name, _, _, _),
            .countMismatch(let name, _, _), .shapeMismatch(let name, _, _), .negativeVariance(let name, _),
            .zeroVariance(let name, _), .negativeDeviation(let name, _), .deviationNotPositive(let name, _),
            .notFinite(let name), .notPositive(let name, _), .outOfRange(let name, _, _),
            .notAProportion(let name, _), .lessThanMinimum(let name, _, _), .axisOutOfRange(_, _, let name):
            name
        case .invalidEpsilon: .epsilon
        case .invalidGroupCount, .groupCountDoesNotDivide: .groupCount
        case .emptyNormalizedShape, .normalizedShapeMismatch: .normalizedShape
        case .emptyAxes, .duplicateAxis: .axes
        case .unsupportedStyleRank, .styleSampleCountMismatch, .styleChannelCountMismatch, .emptyStyle: .style
        case .unsupportedOrder: .p
        case .notConverged: .powerIterationCount
        case .zeroSigma: .u
        case .unsupportedRank, .unsupportedOutputType, .outOfMemory: nil
        }
    }
}

extension LayerError: CustomStringConvertible {
    /// What it was and what it should be. Never an element of a tensor.
    public var description: String {
        switch self {
        case .unknownParameter(let name, let layerType):
            "\(layerType) has no parameter \(name)"
        case .missingParameter(let name, let substitute):
            if let substitute { "\(name) or \(substitute) is required" } else { "\(name) is required" }
        case .wrongKind(let name, let expected):
            "\(name) must be \(expected)"
        case .unknownChoice(let name, let word, let allowed):
            "\(name) is \"\(word)\"; it must be \(ParameterKind.choice(allowed))"
        case .conflictingParameters(let name, let other):
            "\(name) and \(other) exclude each other; give one of them"
        case .invalidEpsilon(let epsilon):
            "eps is \(epsilon); it must be a finite number that is not negative"
        case .invalidGroupCount(let count):
            "num_groups is \(count); it must be at least 1"
        case .groupCountDoesNotDivide(let count, let channelCount):
            "num_groups is \(count), which does not divide the \(counted(channelCount, "channel"))"
        case .emptyNormalizedShape:
            "normalized_shape is []; it must name at least one dimension"
        case .normalizedShapeMismatch(let normalizedShape, let inputShape):
            "normalized_shape is \(normalizedShape), which is not the end of the input's shape \(inputShape)"
        case .axisOutOfRange(let axis, let rank, .axes):
            "axes has \(axis); for an input of rank \(rank) an axis must be from \(-rank) to \(rank - 1)"
        case .axisOutOfRange(let axis, let rank, let name):
            "\(name) is \(axis); for an input of rank \(rank) it must be from \(-rank) to \(rank - 1)"
        case .emptyAxes:
            "axes is []; it must name at least one axis"
        case .duplicateAxis(let axis):
            "axes names axis \(axis) more than once"
        case .channelCountMismatch(let name, let elementCount, let channelCount, let axis):
            "\(name) has \(counted(elementCount, "element")); "
                + "the input has \(counted(channelCount, "channel")) on axis \(axis)"
        case .elementCountMismatch(let name, let elementCount, let normalizedShape, let expected):
            "\(name) has \(counted(elementCount, "element")); "
                + "the normalized dimensions \(normalizedShape) have \(expected)"
        case .axisLengthMismatch(let name, let elementCount, let length, let axis):
            "\(name) has \(counted(elementCount, "element")); the input has \(length) on axis \(axis)"
        case .styleCountMismatch(let name, let elementCount, let channelCount, let sampleCount):
            "\(name) has \(counted(elementCount, "element")); "
                + "the input has \(counted(channelCount, "channel")) and \(counted(sampleCount, "sample"))"
        case .countMismatch(let name, let elementCount, let expected):
            "\(name) has \(counted(elementCount, "element")); it must have \(expected)"
        case .shapeMismatch(let name, let shape, let expected):
            "\(name) has the shape \(shape); it must be \(expected)"
        case .unsupportedStyleRank(let rank, let supported):
            "style has rank \(rank); it must be from \(supported.lowerBound) to \(supported.upperBound)"
        case .styleSampleCountMismatch(let count, let sampleCount):
            "style has \(counted(count, "sample")); it must have 1, or \(sampleCount) as the input"
        case .styleChannelCountMismatch(let count, let axis, let channelCount):
            "style has \(counted(count, "channel")) on axis \(axis); the input has \(channelCount)"
        case .emptyStyle(let shape):
            "style has the shape \(shape); each channel must have at least one element"
        case .unsupportedRank(let rank, let supported):
            "the input has rank \(rank); it must be from \(supported.lowerBound) to \(supported.upperBound)"
        case .unsupportedOutputType(let dataType):
            "the output cannot be \(dataType.rawValue); it must be FP16, BF16, FP32 or FP64"
        case .negativeVariance(let name, let index):
            "\(name) is negative or not a number at index \(index); a variance must be at least 0"
        case .zeroVariance(let name, let index):
            "\(name) and eps are both 0 at index \(index); their sum must be greater than 0"
        case .negativeDeviation(let name, let index):
            "\(name) is negative or not a number at index \(index); a standard deviation must be at least 0"
        case .deviationNotPositive(let name, let index):
            "\(name) is not greater than 0 at index \(index), and it is divided by"
        case .notAProportion(let name, let index):
            "\(name) is not from 0 to 1 at index \(index)"
        case .lessThanMinimum(let name, let number, let minimum):
            "\(name) is \(number); it must be at least \(minimum)"
        case .unsupportedOrder(let order):
            "p is \(order); it must be 1, 2 or \"inf\""
        case .notFinite(let name):
            "\(name) is not a finite number"
        case .notPositive(let name, let number):
            "\(name) is \(number); it must be greater than 0"
        case .outOfRange(let name, let count, let range):
            "\(name) is \(count); it must be from \(range.lowerBound) to \(range.upperBound)"
        case .notConverged(let stepCount):
            "σ has not settled in \(stepCount) steps; give n_power_iterations, or u"
        case .zeroSigma:
            "σ is 0, and the weight, which is not 0, cannot be divided by it; give another u, and a v that belongs to it"
        case .outOfMemory(let byteCount):
            "no memory for \(byteCount) bytes"
        }
    }
}

/// "1 channel", "4 channels".
private func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}
