/// Raises the elements of contiguous spans to the minimum of their span; NaN stays NaN.
public func raiseSpans(
    _ y: UnsafeMutablePointer<Float>,
    spanCount: Int,
    spanLength: Int,
    minimums: UnsafePointer<Float>
) {
    raiseSpans(y, spanCount, spanLength, minimums)
}

/// Raises the elements of contiguous spans to the minimum of their span; NaN stays NaN.
public func raiseSpans(
    _ y: UnsafeMutablePointer<Double>,
    spanCount: Int,
    spanLength: Int,
    minimums: UnsafePointer<Double>
) {
    raiseSpans(y, spanCount, spanLength, minimums)
}

/// Raises the elements of a row-major matrix to the minimum of their column; NaN stays NaN. Rows begin `stride`
/// elements apart.
public func raiseColumns(
    _ y: UnsafeMutablePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    minimums: UnsafePointer<Float>
) {
    raiseColumns(y, rows, columns, stride, minimums)
}

/// Raises the elements of a row-major matrix to the minimum of their column; NaN stays NaN. Rows begin `stride`
/// elements apart.
public func raiseColumns(
    _ y: UnsafeMutablePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    minimums: UnsafePointer<Double>
) {
    raiseColumns(y, rows, columns, stride, minimums)
}

@inline(__always)
private func raiseSpans<Scalar: FloatingPoint>(
    _ y: UnsafeMutablePointer<Scalar>,
    _ spanCount: Int,
    _ spanLength: Int,
    _ minimums: UnsafePointer<Scalar>
) {
    var span = 0
    while span < spanCount {
        let elements = y + span &* spanLength
        let minimum = minimums[span]
        var index = 0
        while index < spanLength {
            elements[index] = raised(elements[index], to: minimum)
            index &+= 1
        }
        span &+= 1
    }
}

@inline(__always)
private func raiseColumns<Scalar: FloatingPoint>(
    _ y: UnsafeMutablePointer<Scalar>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ minimums: UnsafePointer<Scalar>
) {
    var row = 0
    while row < rows {
        let elements = y + row &* stride
        var column = 0
        while column < columns {
            elements[column] = raised(elements[column], to: minimums[column])
            column &+= 1
        }
        row &+= 1
    }
}

/// The larger of two numbers, NaN if one of them is.
@inline(__always)
private func raised<Scalar: FloatingPoint>(_ y: Scalar, to minimum: Scalar) -> Scalar {
    y >= minimum || y != y ? y : minimum
}
