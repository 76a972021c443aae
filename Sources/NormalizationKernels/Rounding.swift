// Conversions of contiguous results to the type of the output, named by the destination. Each result is rounded
// once, to nearest, ties to even. `destination` is aligned to its elements.

public func roundToFloat16(_ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int) {
    convert(source, destination, count) { (value: Float) in half(value) }
}

public func roundToBFloat16(_ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int) {
    convert(source, destination, count) { (value: Float) in bfloat16(value) }
}

public func roundToDouble(_ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int) {
    convert(source, destination, count) { (value: Float) in Double(value) }
}

public func roundToFloat16(_ source: UnsafePointer<Double>, to destination: UnsafeMutableRawPointer, count: Int) {
    convert(source, destination, count) { (value: Double) in half(roundedToOdd(value)) }
}

public func roundToBFloat16(_ source: UnsafePointer<Double>, to destination: UnsafeMutableRawPointer, count: Int) {
    convert(source, destination, count) { (value: Double) in bfloat16(roundedToOdd(value)) }
}

public func roundToFloat(_ source: UnsafePointer<Double>, to destination: UnsafeMutableRawPointer, count: Int) {
    convert(source, destination, count) { (value: Double) in Float(value) }
}

/// A loop that the compiler turns into vectors; both sides are distinct memory.
@inline(__always)
private func convert<Source, Destination>(
    _ source: UnsafePointer<Source>,
    _ destination: UnsafeMutableRawPointer,
    _ count: Int,
    _ body: (Source) -> Destination
) {
    let elements = destination.assumingMemoryBound(to: Destination.self)
    var index = 0
    while index < count {
        elements[index] = body(source[index])
        index &+= 1
    }
}

/// Rounds to FP32 such that a second rounding to fewer than 23 bits gives what one rounding would: an inexact
/// result is truncated and its last bit is set (Boldo and Melquiond 2008).
@inline(__always)
private func roundedToOdd(_ value: Double) -> Float {
    let nearest = Float(value)
    let bits = nearest.bitPattern
    let back = Double(nearest)
    let truncated = back.magnitude > value.magnitude ? bits &- 1 : bits
    // Not so where value is NaN: it differs from itself, and setting a bit keeps it one.
    return Float(bitPattern: back == value ? bits : truncated | 1)
}

/// The upper half of an FP32.
@inline(__always)
private func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7fff &+ ((bits &>> 16) & 1)) &>> 16
    let quiet = (bits &>> 16) | 0x0040
    return UInt16(truncatingIfNeeded: value == value ? rounded : quiet)
}

/// The bits of the nearest IEEE 754 binary16.
@inline(__always)
private func half(_ value: Float) -> UInt16 {
    #if FMA
    return Float16(value).bitPattern
    #else
    // Without F16C: adding a power of two that has binary16's last place as its own last place rounds to it; the two
    // multiplications make what is too large infinite on the way (after Dukhan's FP16 library).
    let bits = value.bitPattern
    let doubled = bits &+ bits
    let magnitude = (value.magnitude * 0x1p112) * 0x1p-110
    let bias = max(doubled & 0xff00_0000, 0x7100_0000)
    let rounded = (Float(bitPattern: (bias &>> 1) &+ 0x0780_0000) + magnitude).bitPattern
    let finite = ((rounded &>> 13) & 0x7c00) &+ (rounded & 0x0fff)
    let result = (doubled > 0xff00_0000 ? 0x7e00 : finite) | ((bits &>> 16) & 0x8000)
    return UInt16(truncatingIfNeeded: result)
    #endif
}
