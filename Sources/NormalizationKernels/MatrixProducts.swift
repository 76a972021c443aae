// Products of row-major matrices with vectors. The matrix may be FP32; vectors and sums are FP64, and the sum of each
// element of a result runs in several lanes.

/// Adds W·v to `sums`, of which each row has one; rows begin `stride` elements apart.
public func addProduct(
    _ matrix: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    vector: UnsafePointer<Double>,
    sums: UnsafeMutablePointer<Double>
) {
    addProduct(matrix, rows, columns, stride, vector, sums, widen) { Double($0) }
}

/// Adds W·v to `sums`, of which each row has one; rows begin `stride` elements apart.
public func addProduct(
    _ matrix: UnsafePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    vector: UnsafePointer<Double>,
    sums: UnsafeMutablePointer<Double>
) {
    addProduct(matrix, rows, columns, stride, vector, sums, { (x: DoubleVector) in x }, { $0 })
}

/// Adds Wᵀ·u to `sums`, of which each column has one; rows begin `stride` elements apart.
public func addTransposedProduct(
    _ matrix: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    stride: Int,
    vector: UnsafePointer<Double>,
    sums: UnsafeMutablePointer<Double>
) {
    addTransposedProduct(matrix, rows, columns, stride, vector, sums, widen) { Double($0) }
}

/// Adds Wᵀ·u to `sums`, of which each column has one; rows begin `stride` elements apart.
public func addTransposedProduct(
    _ matrix: UnsafePointer<Double>,
    rows: Int,
    columns: Int,
    stride: Int,
    vector: UnsafePointer<Double>,
    sums: UnsafeMutablePointer<Double>
) {
    addTransposedProduct(matrix, rows, columns, stride, vector, sums, { (x: DoubleVector) in x }, { $0 })
}

/// y = x·factor/divisor, computed in FP64. `x` and `y` are the same memory or do not overlap.
public func divideSpan(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    factor: Double,
    divisor: Double
) {
    // A rounding of FP64 more is nothing to FP32, and multiplications are faster.
    let scale = factor / divisor
    map(x, y, count, { narrow(widen($0) * scale) }, { Float(Double($0) * scale) })
}

/// y = x·factor/divisor. `x` and `y` are the same memory or do not overlap.
public func divideSpan(
    _ x: UnsafePointer<Double>,
    into y: UnsafeMutablePointer<Double>,
    count: Int,
    factor: Double,
    divisor: Double
) {
    map(x, y, count, { (x: DoubleVector) in x * factor / divisor }, { $0 * factor / divisor })
}

@inline(__always)
private func addProduct<V: SIMD>(
    _ matrix: UnsafePointer<V.Scalar>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ vector: UnsafePointer<Double>,
    _ sums: UnsafeMutablePointer<Double>,
    _ widen: (V) -> DoubleVector,
    _ widenElement: (V.Scalar) -> Double
) {
    let width = DoubleVector.scalarCount
    var row = 0
    while row < rows {
        let elements = matrix + row &* stride
        var (a, b, c, d) = (DoubleVector.zero, DoubleVector.zero, DoubleVector.zero, DoubleVector.zero)
        var column = 0
        while column &+ 4 &* width <= columns {
            a = multiplyAdd(widen(load(elements, column)), load(vector, column), a)
            b = multiplyAdd(widen(load(elements, column &+ width)), load(vector, column &+ width), b)
            c = multiplyAdd(widen(load(elements, column &+ 2 &* width)), load(vector, column &+ 2 &* width), c)
            d = multiplyAdd(widen(load(elements, column &+ 3 &* width)), load(vector, column &+ 3 &* width), d)
            column &+= 4 &* width
        }
        while column &+ width <= columns {
            a = multiplyAdd(widen(load(elements, column)), load(vector, column), a)
            column &+= width
        }
        var sum = 0.0
        while column < columns {
            sum += widenElement(elements[column]) * vector[column]
            column &+= 1
        }
        let lanes = (a + b) + (c + d)
        for lane in 0..<width {
            sum += lanes[lane]
        }
        sums[row] += sum
        row &+= 1
    }
}

@inline(__always)
private func addTransposedProduct<V: SIMD>(
    _ matrix: UnsafePointer<V.Scalar>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ vector: UnsafePointer<Double>,
    _ sums: UnsafeMutablePointer<Double>,
    _ widen: (V) -> DoubleVector,
    _ widenElement: (V.Scalar) -> Double
) {
    let width = DoubleVector.scalarCount
    var row = 0
    // Four rows at a time: the sums are loaded and stored once for them.
    while row &+ 4 <= rows {
        let (p, q) = (matrix + row &* stride, matrix + (row &+ 1) &* stride)
        let (r, s) = (matrix + (row &+ 2) &* stride, matrix + (row &+ 3) &* stride)
        let u0 = DoubleVector(repeating: vector[row])
        let u1 = DoubleVector(repeating: vector[row &+ 1])
        let u2 = DoubleVector(repeating: vector[row &+ 2])
        let u3 = DoubleVector(repeating: vector[row &+ 3])
        var column = 0
        while column &+ width <= columns {
            let low = multiplyAdd(widen(load(q, column)), u1, widen(load(p, column)) * u0)
            let high = multiplyAdd(widen(load(s, column)), u3, widen(load(r, column)) * u2)
            store(load(sums, column) + (low + high), sums, column)
            column &+= width
        }
        while column < columns {
            let low = widenElement(p[column]) * vector[row] + widenElement(q[column]) * vector[row &+ 1]
            let high = widenElement(r[column]) * vector[row &+ 2] + widenElement(s[column]) * vector[row &+ 3]
            sums[column] += low + high
            column &+= 1
        }
        row &+= 4
    }
    while row < rows {
        let elements = matrix + row &* stride
        let u = DoubleVector(repeating: vector[row])
        var column = 0
        while column &+ width <= columns {
            store(multiplyAdd(widen(load(elements, column)), u, load(sums, column)), sums, column)
            column &+= width
        }
        while column < columns {
            sums[column] += widenElement(elements[column]) * vector[row]
            column &+= 1
        }
        row &+= 1
    }
}

@inline(__always)
private func map<V: SIMD>(
    _ x: UnsafePointer<V.Scalar>,
    _ y: UnsafeMutablePointer<V.Scalar>,
    _ count: Int,
    _ body: (V) -> V,
    _ bodyOfElement: (V.Scalar) -> V.Scalar
) {
    var index = 0
    while index &+ V.scalarCount <= count {
        let result = body(load(x, index))
        UnsafeMutableRawPointer(y + index).storeBytes(of: result, as: V.self)
        index &+= V.scalarCount
    }
    while index < count {
        y[index] = bodyOfElement(x[index])
        index &+= 1
    }
}

#if FMA
private typealias HalfVector = SIMD8<Float>
#else
private typealias HalfVector = SIMD4<Float>
#endif

@inline(__always)
private func widen(_ vector: HalfVector) -> DoubleVector {
    var wide = DoubleVector.zero
    for lane in 0..<DoubleVector.scalarCount {
        wide[lane] = Double(vector[lane])
    }
    return wide
}

@inline(__always)
private func narrow(_ vector: DoubleVector) -> HalfVector {
    var half = HalfVector.zero
    for lane in 0..<DoubleVector.scalarCount {
        half[lane] = Float(vector[lane])
    }
    return half
}

/// The vector of the elements from `index` on, at any alignment.
@inline(__always)
private func load<V: SIMD>(_ elements: UnsafePointer<V.Scalar>, _ index: Int) -> V {
    UnsafeRawPointer(elements + index).loadUnaligned(as: V.self)
}

@inline(__always)
private func load(_ elements: UnsafePointer<Double>, _ index: Int) -> DoubleVector {
    UnsafeRawPointer(elements + index).loadUnaligned(as: DoubleVector.self)
}

@inline(__always)
private func store(_ vector: DoubleVector, _ elements: UnsafeMutablePointer<Double>, _ index: Int) {
    UnsafeMutableRawPointer(elements + index).storeBytes(of: vector, as: DoubleVector.self)
}

/// `a * b + c`, rounded once where the instruction set can.
@inline(__always)
private func multiplyAdd(_ a: DoubleVector, _ b: DoubleVector, _ c: DoubleVector) -> DoubleVector {
    #if FMA
    c.addingProduct(a, b)
    #else
    a * b + c
    #endif
}
