import HTTPCore
import Normalization

extension HTTPProblem {
    /// What a client is told of a layer that cannot be made, or does not take the input.
    ///
    /// - Parameter layer: where the layer stands in the request, as a JSON Pointer.
    init(_ error: LayerError, layer: String = "/layer") {
        let pointer: String? =
            switch error {
            case .unsupportedRank: "/input"
            case .unsupportedOutputType: "/output/datatype"
            case .outOfMemory: nil
            // What is missing has no place of its own.
            case .missingParameter: layer
            default: error.parameter.map { "\(layer)/\($0.rawValue)" }
            }
        self.init(ProblemCode(error), error.description, pointer: pointer)
    }
}

extension ProblemCode {
    fileprivate init(_ error: LayerError) {
        self =
            switch error {
            case .unknownParameter: .unknownMember
            case .missingParameter: .missingParameter
            case .wrongKind: .wrongType
            case .unknownChoice, .conflictingParameters, .invalidEpsilon, .invalidGroupCount,
                .groupCountDoesNotDivide, .emptyNormalizedShape, .axisOutOfRange, .emptyAxes, .duplicateAxis,
                .negativeVariance, .zeroVariance, .negativeDeviation, .deviationNotPositive, .notAProportion,
                .lessThanMinimum, .unsupportedOrder, .notFinite, .notPositive, .outOfRange, .notConverged, .zeroSigma:
                .invalidParameter
            case .normalizedShapeMismatch, .channelCountMismatch, .elementCountMismatch, .axisLengthMismatch,
                .styleCountMismatch, .countMismatch, .shapeMismatch, .unsupportedStyleRank,
                .styleSampleCountMismatch, .styleChannelCountMismatch, .emptyStyle:
                .shapeMismatch
            case .unsupportedRank: .invalidShape
            case .unsupportedOutputType: .unsupportedDataType
            case .outOfMemory: .outOfMemory
            }
    }
}
