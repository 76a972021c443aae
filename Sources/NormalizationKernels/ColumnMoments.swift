import CKernels

/// How many numbers a lane of FP32 adds up before its sum moves on to FP64: as for contiguous elements.
private let laneLength = 8

/// Adds Σ(x − center) and Σ(x − center)² of each column of a row-major matrix to `sums` and `squares`;
/// its rows begin `stride` elements apart.
public func addCenteredColumnSums(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    centers: UnsafePointer<Float>,
    sums: UnsafeMutablePointer<Double>,
    squares: UnsafeMutablePointer<Double>
) {
    addCenteredColumnSums(FloatVector.self, x, rows, columns, stride, centers, sums, squares, widenLanes) { Double($0) }
}

/// Adds Σ(x − center) and Σ(x − center)² of each column of a row-major matrix to `sums` and `squares`;
/// its rows begin `stride` elements apart.
public func addCenteredColumnSums(
    _ x: UnsafePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    centers: UnsafePointer<Double>,
    sums: UnsafeMutablePointer<Double>,
    squares: UnsafeMutablePointer<Double>
) {
    addCenteredColumnSums(DoubleVector.self, x, rows, columns, stride, centers, sums, squares, { $0 }, { $0 })
}

/// Goes along several rows at a time: where rows are long the next one lies in another page, and going down a column
/// would wait for memory at every step.
@inline(__always)
private func addCenteredColumnSums<V: SIMD, Wide: SIMD>(
    _ type: V.Type,
    _ x: UnsafePointer<V.Scalar>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ centers: UnsafePointer<V.Scalar>,
    _ sums: UnsafeMutablePointer<Double>,
    _ squares: UnsafeMutablePointer<Double>,
    _ widenLanes: (V) -> Wide,
    _ widen: (V.Scalar) -> Double
) where V.Scalar: FloatingPoint, Wide.Scalar == Double {
    let width = V.scalarCount
    var row = 0
    while row < rows {
        let elements = x + row &* stride
        let count = min(laneLength, rows &- row)
        var column = 0
        while column &+ width <= columns {
            let center = load(V.self, centers, column)
            var (sum, sumOfSquares) = (V.zero, V.zero)
            if count == laneLength {
                // A constant number of steps: no loop remains.
                for step in 0..<laneLength {
                    let difference = load(V.self, elements, step &* stride &+ column) - center
                    sum += difference
                    sumOfSquares = multiplyAdd(difference, difference, sumOfSquares)
                }
            } else {
                for step in 0..<count {
                    let difference = load(V.self, elements, step &* stride &+ column) - center
                    sum += difference
                    sumOfSquares = multiplyAdd(difference, difference, sumOfSquares)
                }
            }
            add(widenLanes(sum), to: sums + column)
            add(widenLanes(sumOfSquares), to: squares + column)
            column &+= width
        }
        while column < columns {
            // The same order and the same roundings as in a vector.
            var (sum, sumOfSquares) = (V.Scalar.zero, V.Scalar.zero)
            for step in 0..<count {
                let difference = elements[step &* stride &+ column] - centers[column]
                sum += difference
                sumOfSquares = multiplyAdd(difference, difference, sumOfSquares)
            }
            sums[column] += widen(sum)
            squares[column] += widen(sumOfSquares)
            column &+= 1
        }
        row &+= count
    }
}

/// Each lane in FP64.
@inline(__always)
private func widenLanes(_ vector: SIMD16<Float>) -> SIMD16<Double> { widen_float16(vector) }

@inline(__always)
private func widenLanes(_ vector: SIMD8<Float>) -> SIMD8<Double> { widen_float8(vector) }

@inline(__always)
private func add<Wide: SIMD>(_ vector: Wide, to sums: UnsafeMutablePointer<Double>) where Wide.Scalar == Double {
    let total = UnsafeRawPointer(sums).loadUnaligned(as: Wide.self) + vector
    UnsafeMutableRawPointer(sums).storeBytes(of: total, as: Wide.self)
}

/// The vector of the elements from `index` on, at any alignment.
@inline(__always)
private func load<V: SIMD>(_ type: V.Type, _ elements: UnsafePointer<V.Scalar>, _ index: Int) -> V {
    UnsafeRawPointer(elements + index).loadUnaligned(as: V.self)
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
