// Every kernel here computes y = ((x − mean) − remainder)·scale + shift, where mean + remainder is the mean in twice
// the precision: the subtraction comes first, so that no digit is lost where |mean| is much larger than the spread.
// `x` and `y` are the same memory or do not overlap.

/// Normalizes contiguous elements that share their coefficients.
public func normalizeSpan(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    mean: Float,
    remainder: Float,
    scale: Float,
    shift: Float
) {
    normalizeSpan(FloatVector.self, x, y, count, mean, remainder, scale, shift)
}

/// Normalizes contiguous elements that share their coefficients.
public func normalizeSpan(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    count: Int,
    mean: Double,
    remainder: Double,
    scale: Double,
    shift: Double
) {
    normalizeSpan(DoubleVector.self, x, y, count, mean, remainder, scale, shift)
}

/// Normalizes a row that shares its statistics; each element has its own weight and, if there are any, bias.
public func normalizeRow(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    mean: Float,
    remainder: Float,
    scale: Float,
    weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?
) {
    normalizeRow(FloatVector.self, x, y, count, mean, remainder, scale, weight, bias)
}

/// Normalizes a row that shares its statistics; each element has its own weight and, if there are any, bias.
public func normalizeRow(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    count: Int,
    mean: Double,
    remainder: Double,
    scale: Double,
    weight: UnsafePointer<Double>,
    bias: UnsafePointer<Double>?
) {
    normalizeRow(DoubleVector.self, x, y, count, mean, remainder, scale, weight, bias)
}

/// Normalizes a row-major matrix whose columns have their own coefficients; rows begin
/// `stride` elements apart.
public func normalizeColumns(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    shifts: UnsafePointer<Float>
) {
    normalizeColumns(FloatVector.self, x, y, rows, columns, stride, means, remainders, scales, shifts)
}

/// Normalizes a row-major matrix whose columns have their own coefficients; rows begin
/// `stride` elements apart.
public func normalizeColumns(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    means: UnsafePointer<Double>,
    remainders: UnsafePointer<Double>,
    scales: UnsafePointer<Double>,
    shifts: UnsafePointer<Double>
) {
    normalizeColumns(DoubleVector.self, x, y, rows, columns, stride, means, remainders, scales, shifts)
}

@inline(__always)
private func normalizeSpan<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ count: Int,
    _ mean: V.Scalar,
    _ remainder: V.Scalar,
    _ scale: V.Scalar,
    _ shift: V.Scalar
) where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    let (means, remainders) = (V(repeating: mean), V(repeating: remainder))
    let (scales, shifts) = (V(repeating: scale), V(repeating: shift))
    var index = 0
    while index &+ 2 &* width <= count {
        let a = (load(V.self, x, index) - means) - remainders
        let b = (load(V.self, x, index &+ width) - means) - remainders
        store(multiplyAdd(a, scales, shifts), y, index)
        store(multiplyAdd(b, scales, shifts), y, index &+ width)
        index &+= 2 &* width
    }
    while index < count {
        y[index] = multiplyAdd((x[index] - mean) - remainder, scale, shift)
        index &+= 1
    }
}

@inline(__always)
private func normalizeRow<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ count: Int,
    _ mean: V.Scalar,
    _ remainder: V.Scalar,
    _ scale: V.Scalar,
    _ weight: UnsafePointer<V.Scalar>,
    _ bias: UnsafePointer<V.Scalar>?
) where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    let (means, remainders, scales) = (V(repeating: mean), V(repeating: remainder), V(repeating: scale))
    var index = 0
    if let bias {
        while index &+ width <= count {
            let normalized = ((load(V.self, x, index) - means) - remainders) * scales
            store(multiplyAdd(normalized, load(V.self, weight, index), load(V.self, bias, index)), y, index)
            index &+= width
        }
        while index < count {
            y[index] = multiplyAdd(((x[index] - mean) - remainder) * scale, weight[index], bias[index])
            index &+= 1
        }
    } else {
        while index &+ width <= count {
            let normalized = ((load(V.self, x, index) - means) - remainders) * scales
            store(normalized * load(V.self, weight, index), y, index)
            index &+= width
        }
        while index < count {
            y[index] = (((x[index] - mean) - remainder) * scale) * weight[index]
            index &+= 1
        }
    }
}

@inline(__always)
private func normalizeColumns<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ means: UnsafePointer<V.Scalar>,
    _ remainders: UnsafePointer<V.Scalar>,
    _ scales: UnsafePointer<V.Scalar>,
    _ shifts: UnsafePointer<V.Scalar>
) where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    var row = 0
    while row < rows {
        let (source, destination) = (x + row &* stride, y + row &* stride)
        var column = 0
        while column &+ width <= columns {
            let difference = load(V.self, source, column) - load(V.self, means, column)
            let exact = difference - load(V.self, remainders, column)
            store(multiplyAdd(exact, load(V.self, scales, column), load(V.self, shifts, column)), destination, column)
            column &+= width
        }
        while column < columns {
            let difference = (source[column] - means[column]) - remainders[column]
            destination[column] = multiplyAdd(difference, scales[column], shifts[column])
            column &+= 1
        }
        row &+= 1
    }
}

/// The vector of the elements from `index` on, at any alignment.
@inline(__always)
private func load<V: SIMD>(_ type: V.Type, _ elements: UnsafePointer<V.Scalar>, _ index: Int) -> V {
    UnsafeRawPointer(elements + index).loadUnaligned(as: V.self)
}

/// Stores a vector at the elements from `index` on, at any alignment.
@inline(__always)
private func store<V: SIMD>(_ vector: V, _ elements: UnsafeMutablePointer<V.Scalar>, _ index: Int) {
    UnsafeMutableRawPointer(elements + index).storeBytes(of: vector, as: V.self)
}

/// `a * b + c`, rounded once where the instruction set can.
@inline(__always)
private func multiplyAdd<V: SIMD>(_ a: V, _ b: V, _ c: V) -> V where V.Scalar: FloatingPoint {
    #if FMA
    c.addingProduct(a, b)
    #else
    a * b + c
    #endif
}

/// `a * b + c` for the elements after the last whole vector: the same bits as in a vector.
@inline(__always)
private func multiplyAdd<Scalar: FloatingPoint>(_ a: Scalar, _ b: Scalar, _ c: Scalar) -> Scalar {
    #if FMA
    c.addingProduct(a, b)
    #else
    a * b + c
    #endif
}
