/// The dimensions of a tensor, row-major: the last one is contiguous.
public struct Shape: Hashable, Sendable, CustomStringConvertible {
    /// The size along each axis; none is negative.
    public let dimensions: [Int]

    /// The product of the dimensions; 1 for rank 0.
    public let elementCount: Int

    /// Checks the dimensions and that their product, zeros left out, can be counted.
    public init(_ dimensions: [Int]) throws(ShapeError) {
        var product = 1
        for (axis, dimension) in dimensions.enumerated() {
            guard dimension >= 0 else { throw .negativeDimension(axis: axis, dimension) }
            // A zero must not hide an overflow of the others: strides are products of any of them.
            let (next, overflow) = product.multipliedReportingOverflow(by: max(dimension, 1))
            guard !overflow else { throw .tooManyElements }
            product = next
        }
        self.dimensions = dimensions
        self.elementCount = dimensions.contains(0) ? 0 : product
    }

    public var rank: Int { self.dimensions.count }

    public subscript(axis: Int) -> Int { self.dimensions[axis] }

    /// As it stands in JSON: `[1, 2, 2]`.
    public var description: String { self.dimensions.description }
}

/// A list of dimensions that is not a shape.
public enum ShapeError: Error, Equatable {
    /// A dimension is less than zero.
    case negativeDimension(axis: Int, Int)
    /// The number of elements does not fit into 63 bits.
    case tooManyElements
}

extension ShapeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .negativeDimension(let axis, let dimension):
            "the dimension on axis \(axis) is \(dimension); it must not be negative"
        case .tooManyElements:
            "the dimensions multiply to more elements than can be counted"
        }
    }
}
