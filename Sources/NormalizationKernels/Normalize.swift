// Every kernel here computes y = ((x − mean) − remainder)·scale + shift, where mean + remainder is the mean in twice
// the precision: the subtraction comes first, so that no digit is lost where |mean| is much larger than the spread.
// `x` and `y` are the same memory or do not overlap. Those that are told a distance ask for the elements that far ahead:
// while a tile is normalized nothing is read from memory, and the next tile can come.

import CKernels

/// Normalizes contiguous spans, each by coefficients of its own.
public func normalizeSpans(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    spanCount: Int,
    spanLength: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    shifts: UnsafePointer<Float>,
    prefetchDistance: Int
) {
    normalizeSpans(FloatVector.self, x, y, spanCount, spanLength, means, remainders, scales, shifts, prefetchDistance)
}

/// Normalizes contiguous spans, each by coefficients of its own.
public func normalizeSpans(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    spanCount: Int,
    spanLength: Int,
    means: UnsafePointer<Double>,
    remainders: UnsafePointer<Double>,
    scales: UnsafePointer<Double>,
    shifts: UnsafePointer<Double>,
    prefetchDistance: Int
) {
    normalizeSpans(DoubleVector.self, x, y, spanCount, spanLength, means, remainders, scales, shifts, prefetchDistance)
}

/// Normalizes contiguous rows, each by statistics of its own; each element of a row has its own weight and, if there
/// are any, bias.
public func normalizeRows(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    rowCount: Int,
    rowLength: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?,
    prefetchDistance: Int
) {
    normalizeRows(
        FloatVector.self,
        x,
        y,
        rowCount,
        rowLength,
        means,
        remainders,
        scales,
        weight,
        bias,
        prefetchDistance
    )
}

/// Normalizes contiguous rows, each by statistics of its own; each element of a row has its own weight and, if there
/// are any, bias.
public func normalizeRows(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    rowCount: Int,
    rowLength: Int,
    means: UnsafePointer<Double>,
    remainders: UnsafePointer<Double>,
    scales: UnsafePointer<Double>,
    weight: UnsafePointer<Double>,
    bias: UnsafePointer<Double>?,
    prefetchDistance: Int
) {
    normalizeRows(
        DoubleVector.self,
        x,
        y,
        rowCount,
        rowLength,
        means,
        remainders,
        scales,
        weight,
        bias,
        prefetchDistance
    )
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
private func normalizeSpans<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ spanCount: Int,
    _ spanLength: Int,
    _ means: UnsafePointer<V.Scalar>,
    _ remainders: UnsafePointer<V.Scalar>,
    _ scales: UnsafePointer<V.Scalar>,
    _ shifts: UnsafePointer<V.Scalar>,
    _ prefetchDistance: Int
) where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    var span = 0
    while span < spanCount {
        let (mean, remainder) = (V(repeating: means[span]), V(repeating: remainders[span]))
        let (scale, shift) = (V(repeating: scales[span]), V(repeating: shifts[span]))
        let (source, destination) = (x + span &* spanLength, y + span &* spanLength)
        var index = 0
        if spanLength >= width {
            // The last vector overlaps the one before it, so its elements are read before they are written.
            let last = load(V.self, source, spanLength &- width)
            while index &+ 2 &* width <= spanLength {
                let a = (load(V.self, source, index) - mean) - remainder
                let b = (load(V.self, source, index &+ width) - mean) - remainder
                prefetch_line(source + (index &+ prefetchDistance))
                prefetch_line(source + (index &+ width &+ prefetchDistance))
                store(multiplyAdd(a, scale, shift), destination, index)
                store(multiplyAdd(b, scale, shift), destination, index &+ width)
                index &+= 2 &* width
            }
            if index &+ width <= spanLength {
                let a = (load(V.self, source, index) - mean) - remainder
                store(multiplyAdd(a, scale, shift), destination, index)
                index &+= width
            }
            if index < spanLength {
                store(multiplyAdd((last - mean) - remainder, scale, shift), destination, spanLength &- width)
            }
        } else {
            while index < spanLength {
                let difference = (source[index] - means[span]) - remainders[span]
                destination[index] = multiplyAdd(difference, scales[span], shifts[span])
                index &+= 1
            }
        }
        span &+= 1
    }
}

@inline(__always)
private func normalizeRows<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ rowCount: Int,
    _ rowLength: Int,
    _ means: UnsafePointer<V.Scalar>,
    _ remainders: UnsafePointer<V.Scalar>,
    _ scales: UnsafePointer<V.Scalar>,
    _ weight: UnsafePointer<V.Scalar>,
    _ bias: UnsafePointer<V.Scalar>?,
    _ prefetchDistance: Int
) where V.Scalar: FloatingPoint {
    if let bias {
        normalizeRows(
            V.self,
            x,
            y,
            rowCount,
            rowLength,
            means,
            remainders,
            scales,
            prefetchDistance,
            { multiplyAdd($0, load(V.self, weight, $1), load(V.self, bias, $1)) },
            { multiplyAdd($0, weight[$1], bias[$1]) }
        )
    } else {
        normalizeRows(
            V.self,
            x,
            y,
            rowCount,
            rowLength,
            means,
            remainders,
            scales,
            prefetchDistance,
            { $0 * load(V.self, weight, $1) },
            { $0 * weight[$1] }
        )
    }
}

@inline(__always)
private func normalizeRows<V: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ rowCount: Int,
    _ rowLength: Int,
    _ means: UnsafePointer<V.Scalar>,
    _ remainders: UnsafePointer<V.Scalar>,
    _ scales: UnsafePointer<V.Scalar>,
    _ prefetchDistance: Int,
    _ finishVector: (V, Int) -> V,
    _ finishElement: (V.Scalar, Int) -> V.Scalar
) where V.Scalar: FloatingPoint {
    let width = V.scalarCount
    var row = 0
    while row < rowCount {
        let mean = V(repeating: means[row])
        let remainder = V(repeating: remainders[row])
        let scale = V(repeating: scales[row])
        let (source, destination) = (x + row &* rowLength, y + row &* rowLength)
        var index = 0
        if rowLength >= width {
            // The last vector overlaps the one before it, so its elements are read before they are written.
            let last = load(V.self, source, rowLength &- width)
            while index &+ 2 &* width <= rowLength {
                let p = ((load(V.self, source, index) - mean) - remainder) * scale
                let q = ((load(V.self, source, index &+ width) - mean) - remainder) * scale
                prefetch_line(source + (index &+ prefetchDistance))
                prefetch_line(source + (index &+ width &+ prefetchDistance))
                store(finishVector(p, index), destination, index)
                store(finishVector(q, index &+ width), destination, index &+ width)
                index &+= 2 &* width
            }
            while index &+ width <= rowLength {
                let normalized = ((load(V.self, source, index) - mean) - remainder) * scale
                prefetch_line(source + (index &+ prefetchDistance))
                store(finishVector(normalized, index), destination, index)
                index &+= width
            }
            if index < rowLength {
                index = rowLength &- width
                store(finishVector(((last - mean) - remainder) * scale, index), destination, index)
            }
        } else {
            while index < rowLength {
                let normalized = ((source[index] - means[row]) - remainders[row]) * scales[row]
                destination[index] = finishElement(normalized, index)
                index &+= 1
            }
        }
        row &+= 1
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
