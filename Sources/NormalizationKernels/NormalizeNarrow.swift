// The kernels of Normalize.swift for elements of 16 bits, in and out: each is widened, normalized in FP32 and rounded
// once, on its way through the registers. `x` and `y` are the same memory or do not overlap.
// Only where the processor converts FP16 itself.

import CKernels

#if FMA
/// Normalizes contiguous spans of FP16, each by coefficients of its own.
public func normalizeSpansFloat16(
    _ x: UnsafeRawPointer,
    into y: UnsafeMutableRawPointer,
    spanCount: Int,
    spanLength: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    shifts: UnsafePointer<Float>,
    prefetchDistance: Int
) {
    normalizeSpans(
        x,
        y,
        spanCount,
        spanLength,
        means,
        remainders,
        scales,
        shifts,
        prefetchDistance,
        widenFloat16,
        roundFloat16
    )
}

/// Normalizes contiguous rows of FP16, each by statistics of its own; each element of a row has its own weight and,
/// if there are any, bias.
public func normalizeRowsFloat16(
    _ x: UnsafeRawPointer,
    into y: UnsafeMutableRawPointer,
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
        x,
        y,
        rowCount,
        rowLength,
        means,
        remainders,
        scales,
        weight,
        bias,
        prefetchDistance,
        widenFloat16,
        roundFloat16
    )
}

/// Normalizes a row-major matrix of FP16 whose columns have their own coefficients; rows begin `stride` elements
/// apart.
public func normalizeColumnsFloat16(
    _ x: UnsafeRawPointer,
    into y: UnsafeMutableRawPointer,
    rows: Int,
    columns: Int,
    stride: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    shifts: UnsafePointer<Float>
) {
    normalizeColumns(x, y, rows, columns, stride, means, remainders, scales, shifts, widenFloat16, roundFloat16)
}

/// Normalizes contiguous spans of BF16, each by coefficients of its own, whose NaN have no payload.
public func normalizeSpansBFloat16(
    _ x: UnsafeRawPointer,
    into y: UnsafeMutableRawPointer,
    spanCount: Int,
    spanLength: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    shifts: UnsafePointer<Float>,
    prefetchDistance: Int
) {
    var span = 0
    while span < spanCount {
        let (mean, remainder) = (SIMD16(repeating: means[span]), SIMD16(repeating: remainders[span]))
        let (scale, shift) = (SIMD16(repeating: scales[span]), SIMD16(repeating: shifts[span]))
        let first = span &* spanLength
        var index = 0
        // As the elements share their coefficients, neighbours may part and meet again.
        while index &+ 32 <= spanLength {
            let offset = 2 &* (first &+ index)
            let pairs = (x + offset).loadUnaligned(as: SIMD16<UInt32>.self)
            let even = (widen_even_bfloat16(pairs) - mean) - remainder
            let odd = (widen_odd_bfloat16(pairs) - mean) - remainder
            let rounded = round_pairs_bfloat16(multiplyAdd(even, scale, shift), multiplyAdd(odd, scale, shift))
            prefetch_line(x + offset + 2 &* prefetchDistance)
            (y + offset).storeBytes(of: rounded, as: SIMD16<UInt32>.self)
            index &+= 32
        }
        forEachVector(
            x,
            y,
            from: first &+ index,
            spanLength &- index,
            prefetchDistance,
            widen_bfloat16,
            round_bfloat16
        ) { vector, _, _ in multiplyAdd((vector - mean) - remainder, scale, shift) }
        span &+= 1
    }
}

/// Normalizes contiguous rows of BF16, each by statistics of its own; each element of a row has its own weight and,
/// if there are any, bias.
public func normalizeRowsBFloat16(
    _ x: UnsafeRawPointer,
    into y: UnsafeMutableRawPointer,
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
        x,
        y,
        rowCount,
        rowLength,
        means,
        remainders,
        scales,
        weight,
        bias,
        prefetchDistance,
        widen_bfloat16,
        round_bfloat16
    )
}

/// Normalizes a row-major matrix of BF16 whose columns have their own coefficients; rows begin `stride` elements
/// apart.
public func normalizeColumnsBFloat16(
    _ x: UnsafeRawPointer,
    into y: UnsafeMutableRawPointer,
    rows: Int,
    columns: Int,
    stride: Int,
    means: UnsafePointer<Float>,
    remainders: UnsafePointer<Float>,
    scales: UnsafePointer<Float>,
    shifts: UnsafePointer<Float>
) {
    normalizeColumns(x, y, rows, columns, stride, means, remainders, scales, shifts, widen_bfloat16, round_bfloat16)
}

@inline(__always)
private func normalizeSpans(
    _ x: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer,
    _ spanCount: Int,
    _ spanLength: Int,
    _ means: UnsafePointer<Float>,
    _ remainders: UnsafePointer<Float>,
    _ scales: UnsafePointer<Float>,
    _ shifts: UnsafePointer<Float>,
    _ prefetchDistance: Int,
    _ widen: (SIMD16<UInt16>) -> SIMD16<Float>,
    _ round: (SIMD16<Float>) -> SIMD16<UInt16>
) {
    var span = 0
    while span < spanCount {
        let (mean, remainder) = (SIMD16(repeating: means[span]), SIMD16(repeating: remainders[span]))
        let (scale, shift) = (SIMD16(repeating: scales[span]), SIMD16(repeating: shifts[span]))
        forEachVector(x, y, from: span &* spanLength, spanLength, prefetchDistance, widen, round) { vector, _, _ in
            multiplyAdd((vector - mean) - remainder, scale, shift)
        }
        span &+= 1
    }
}

@inline(__always)
private func normalizeRows(
    _ x: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer,
    _ rowCount: Int,
    _ rowLength: Int,
    _ means: UnsafePointer<Float>,
    _ remainders: UnsafePointer<Float>,
    _ scales: UnsafePointer<Float>,
    _ weight: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>?,
    _ prefetchDistance: Int,
    _ widen: (SIMD16<UInt16>) -> SIMD16<Float>,
    _ round: (SIMD16<Float>) -> SIMD16<UInt16>
) {
    var row = 0
    while row < rowCount {
        let (mean, remainder) = (SIMD16(repeating: means[row]), SIMD16(repeating: remainders[row]))
        let scale = SIMD16(repeating: scales[row])
        if let bias {
            forEachVector(x, y, from: row &* rowLength, rowLength, prefetchDistance, widen, round) {
                vector,
                index,
                count in
                let normalized = ((vector - mean) - remainder) * scale
                return multiplyAdd(normalized, load(weight, index, count), load(bias, index, count))
            }
        } else {
            forEachVector(x, y, from: row &* rowLength, rowLength, prefetchDistance, widen, round) {
                vector,
                index,
                count in
                (((vector - mean) - remainder) * scale) * load(weight, index, count)
            }
        }
        row &+= 1
    }
}

@inline(__always)
private func normalizeColumns(
    _ x: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int,
    _ means: UnsafePointer<Float>,
    _ remainders: UnsafePointer<Float>,
    _ scales: UnsafePointer<Float>,
    _ shifts: UnsafePointer<Float>,
    _ widen: (SIMD16<UInt16>) -> SIMD16<Float>,
    _ round: (SIMD16<Float>) -> SIMD16<UInt16>
) {
    var row = 0
    while row < rows {
        forEachVector(x, y, from: row &* stride, columns, 0, widen, round) { vector, index, count in
            let difference = (vector - load(means, index, count)) - load(remainders, index, count)
            return multiplyAdd(difference, load(scales, index, count), load(shifts, index, count))
        }
        row &+= 1
    }
}

/// Puts contiguous elements through `body`, sixteen at a time; it is given the index of the first one and how many
/// lanes mean something.
@inline(__always)
private func forEachVector(
    _ x: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer,
    from first: Int,
    _ count: Int,
    _ prefetchDistance: Int,
    _ widen: (SIMD16<UInt16>) -> SIMD16<Float>,
    _ round: (SIMD16<Float>) -> SIMD16<UInt16>,
    _ body: (SIMD16<Float>, Int, Int) -> SIMD16<Float>
) {
    let source = x + 2 &* first
    let destination = y + 2 &* first
    guard count >= 16 else {
        var bits = SIMD16<UInt16>.zero
        for lane in 0..<count {
            bits[lane] = source.load(fromByteOffset: 2 &* lane, as: UInt16.self)
        }
        let rounded = round(body(widen(bits), 0, count))
        for lane in 0..<count {
            destination.storeBytes(of: rounded[lane], toByteOffset: 2 &* lane, as: UInt16.self)
        }
        return
    }
    // The last vector overlaps the one before it, so its elements are read before they are written.
    let last = source.loadUnaligned(fromByteOffset: 2 &* (count &- 16), as: SIMD16<UInt16>.self)
    var index = 0
    while index &+ 16 <= count {
        let bits = source.loadUnaligned(fromByteOffset: 2 &* index, as: SIMD16<UInt16>.self)
        let rounded = round(body(widen(bits), index, 16))
        prefetch_line(source + 2 &* (index &+ prefetchDistance))
        destination.storeBytes(of: rounded, toByteOffset: 2 &* index, as: SIMD16<UInt16>.self)
        index &+= 16
    }
    if index < count {
        let rounded = round(body(widen(last), count &- 16, 16))
        destination.storeBytes(of: rounded, toByteOffset: 2 &* (count &- 16), as: SIMD16<UInt16>.self)
    }
}

/// The first `count` elements from `index` on, at any alignment.
@inline(__always)
private func load(_ elements: UnsafePointer<Float>, _ index: Int, _ count: Int) -> SIMD16<Float> {
    if count == 16 {
        return UnsafeRawPointer(elements + index).loadUnaligned(as: SIMD16<Float>.self)
    }
    var vector = SIMD16<Float>.zero
    for lane in 0..<count {
        vector[lane] = elements[index &+ lane]
    }
    return vector
}

/// `a * b + c`, rounded once.
@inline(__always)
private func multiplyAdd(_ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>) -> SIMD16<Float> {
    c.addingProduct(a, b)
}

@inline(__always)
private func widenFloat16(_ bits: SIMD16<UInt16>) -> SIMD16<Float> {
    let halves = unsafeBitCast(bits, to: SIMD16<Float16>.self)
    var vector = SIMD16<Float>.zero
    for lane in 0..<16 {
        vector[lane] = Float(halves[lane])
    }
    return vector
}

@inline(__always)
private func roundFloat16(_ vector: SIMD16<Float>) -> SIMD16<UInt16> {
    var halves = SIMD16<Float16>.zero
    for lane in 0..<16 {
        halves[lane] = Float16(vector[lane])
    }
    return unsafeBitCast(halves, to: SIMD16<UInt16>.self)
}
#endif
