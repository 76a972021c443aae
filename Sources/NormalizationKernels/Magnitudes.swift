/// Σ|x| of `count` contiguous elements.
public func sumOfMagnitudes(_ x: UnsafePointer<Float>, count: Int) -> Double {
    sumOfMagnitudes(x, count) { Double($0) }
}

/// Σ|x| of `count` contiguous elements.
public func sumOfMagnitudes(_ x: UnsafePointer<Double>, count: Int) -> Double {
    sumOfMagnitudes(x, count) { $0 }
}

/// max |x| of `count` contiguous elements; NaN if one of them is.
public func largestMagnitude(_ x: UnsafePointer<Float>, count: Int) -> Double {
    largestMagnitude(x, count) { Double($0) }
}

/// max |x| of `count` contiguous elements; NaN if one of them is.
public func largestMagnitude(_ x: UnsafePointer<Double>, count: Int) -> Double {
    largestMagnitude(x, count) { $0 }
}

/// Adds Σ|x| of each column of a row-major matrix to `sums`; its rows begin `stride` elements apart.
public func addColumnMagnitudes(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    sums: UnsafeMutablePointer<Double>
) {
    combineColumns(x, rows, columns, stride, sums) { $0 + Double($1) }
}

/// Adds Σ|x| of each column of a row-major matrix to `sums`; its rows begin `stride` elements apart.
public func addColumnMagnitudes(
    _ x: UnsafePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    sums: UnsafeMutablePointer<Double>
) {
    combineColumns(x, rows, columns, stride, sums) { $0 + $1 }
}

/// Raises `maxima` to max |x| of each column of a row-major matrix, or NaN; its rows begin `stride` elements apart.
public func raiseToColumnMagnitudes(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    maxima: UnsafeMutablePointer<Double>
) {
    combineColumns(x, rows, columns, stride, maxima) { larger($0, Double($1)) }
}

/// Raises `maxima` to max |x| of each column of a row-major matrix, or NaN; its rows begin `stride` elements apart.
public func raiseToColumnMagnitudes(
    _ x: UnsafePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    maxima: UnsafeMutablePointer<Double>
) {
    combineColumns(x, rows, columns, stride, maxima) { larger($0, $1) }
}

/// Eight sums in FP64 beside each other, which the compiler makes vectors of.
@inline(__always)
private func sumOfMagnitudes<Scalar: FloatingPoint>(
    _ x: UnsafePointer<Scalar>,
    _ count: Int,
    _ widen: (Scalar) -> Double
) -> Double {
    var sums = SIMD8<Double>.zero
    var index = 0
    while index &+ 8 <= count {
        for lane in 0..<8 {
            sums[lane] += widen(x[index &+ lane].magnitude)
        }
        index &+= 8
    }
    var total = sums.sum()
    while index < count {
        total += widen(x[index].magnitude)
        index &+= 1
    }
    return total
}

@inline(__always)
private func largestMagnitude<Scalar: FloatingPoint>(
    _ x: UnsafePointer<Scalar>,
    _ count: Int,
    _ widen: (Scalar) -> Double
) -> Double {
    var maxima = SIMD8<Double>.zero
    var index = 0
    while index &+ 8 <= count {
        for lane in 0..<8 {
            maxima[lane] = larger(maxima[lane], widen(x[index &+ lane].magnitude))
        }
        index &+= 8
    }
    var result = 0.0
    for lane in 0..<8 {
        result = larger(result, maxima[lane])
    }
    while index < count {
        result = larger(result, widen(x[index].magnitude))
        index &+= 1
    }
    return result
}

@inline(__always)
private func combineColumns<Scalar: FloatingPoint>(
    _ x: UnsafePointer<Scalar>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ results: UnsafeMutablePointer<Double>,
    _ combine: (Double, Scalar) -> Double
) {
    var row = 0
    while row < rows {
        let elements = x + row &* stride
        var column = 0
        while column < columns {
            results[column] = combine(results[column], elements[column].magnitude)
            column &+= 1
        }
        row &+= 1
    }
}

/// The larger of two numbers, NaN if one of them is.
@inline(__always)
private func larger(_ a: Double, _ b: Double) -> Double {
    // A comparison with NaN is false: the first one stays, and the second one is taken.
    b <= a || a != a ? a : b
}
