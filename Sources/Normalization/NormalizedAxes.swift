import Tensors

/// The trailing axes over which each sample is normalized: by their dimensions as torch says it, or by the first of
/// them as ONNX does.
enum NormalizedAxes: Sendable {
    case shape([Int])
    case from(axis: Int)

    init(_ parameters: LayerParameters) throws(LayerError) {
        switch (try parameters.integers(.normalizedShape), try parameters.integer(.axis)) {
        case (.some, .some): throw .conflictingParameters(.normalizedShape, .axis)
        case (nil, nil): throw .missingParameter(.normalizedShape, substitute: .axis)
        case (let shape?, nil):
            guard !shape.isEmpty else { throw .emptyNormalizedShape }
            self = .shape(shape)
        case (nil, let axis?): self = .from(axis: axis)
        }
    }

    /// The rows of an input, and the dimensions of a row.
    func resolve(
        _ shape: Shape
    ) throws(LayerError) -> (rowCount: Int, rowLength: Int, rowDimensions: [Int]) {
        try InputAxis.checkRank(of: shape)
        let firstAxis: Int
        switch self {
        case .shape(let dimensions):
            guard shape.dimensions.count >= dimensions.count,
                shape.dimensions.suffix(dimensions.count) == dimensions[...]
            else { throw .normalizedShapeMismatch(dimensions, inputShape: shape) }
            firstAxis = shape.rank - dimensions.count
        case .from(let axis):
            firstAxis = try InputAxis.resolve(axis, rank: shape.rank, .axis)
        }
        let rowDimensions = Array(shape.dimensions[firstAxis...])
        // Shape has checked the products of the dimensions.
        return (shape.dimensions[..<firstAxis].reduce(1, *), rowDimensions.reduce(1, *), rowDimensions)
    }

    /// Holds a parameter of the shape of a row against the input.
    static func check(_ parameter: Parameter?, _ rowDimensions: [Int], _ rowLength: Int) throws(LayerError) {
        guard let parameter else { return }
        guard parameter.count == rowLength else {
            throw .elementCountMismatch(
                parameter.name,
                elementCount: parameter.count,
                normalizedShape: rowDimensions,
                expected: rowLength
            )
        }
        try parameter.checkShape(rowDimensions)
    }
}
