// Conversions of contiguous elements to the numbers that are computed with, named by the source. Exact, except
// UINT64 and INT64 to FP64, which round to nearest. `source` is aligned to its elements.

public func convertUInt8(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int) {
    convert(source, destination, count) { (element: UInt8) in Float(element) }
}

public func convertInt8(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int) {
    convert(source, destination, count) { (element: Int8) in Float(element) }
}

public func convertUInt16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int) {
    convert(source, destination, count) { (element: UInt16) in Float(element) }
}

public func convertInt16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int) {
    convert(source, destination, count) { (element: Int16) in Float(element) }
}

public func convertFloat16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int) {
    convert(source, destination, count) { (element: UInt16) in float(half: element) }
}

public func convertBFloat16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int) {
    convert(source, destination, count) { (element: UInt16) in Float(bitPattern: UInt32(element) &<< 16) }
}

public func convertUInt8(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: UInt8) in Double(element) }
}

public func convertInt8(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: Int8) in Double(element) }
}

public func convertUInt16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: UInt16) in Double(element) }
}

public func convertInt16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: Int16) in Double(element) }
}

public func convertUInt32(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: UInt32) in Double(element) }
}

public func convertInt32(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: Int32) in Double(element) }
}

public func convertUInt64(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: UInt64) in Double(element) }
}

public func convertInt64(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: Int64) in Double(element) }
}

public func convertFloat16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: UInt16) in Double(float(half: element)) }
}

public func convertBFloat16(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: UInt16) in Double(Float(bitPattern: UInt32(element) &<< 16)) }
}

public func convertFloat(_ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Double>, count: Int) {
    convert(source, destination, count) { (element: Float) in Double(element) }
}

/// A loop that the compiler turns into vectors; both sides are distinct memory.
@inline(__always)
private func convert<Source, Destination>(
    _ source: UnsafeRawPointer,
    _ destination: UnsafeMutablePointer<Destination>,
    _ count: Int,
    _ body: (Source) -> Destination
) {
    let elements = source.assumingMemoryBound(to: Source.self)
    var index = 0
    while index < count {
        destination[index] = body(elements[index])
        index &+= 1
    }
}

/// The value of an IEEE 754 binary16. Exact.
@inline(__always)
private func float(half bits: UInt16) -> Float {
    #if FMA
    Float(Float16(bitPattern: bits))
    #else
    // Without F16C: the fields move to where FP32 has them, the difference of the exponents' biases is multiplied
    // on (which also makes subnormals normal), and the largest exponent becomes FP32's.
    let magnitude = UInt32(bits & 0x7fff) &<< 13
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let exponent: UInt32 = magnitude >= 0x0f80_0000 ? 0x7f80_0000 : 0
    return Float(bitPattern: scaled | exponent | UInt32(bits & 0x8000) &<< 16)
    #endif
}
