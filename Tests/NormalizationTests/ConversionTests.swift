import Tensors
import Testing

@testable import Normalization

/// The conversions of every instruction set, held against Swift's own.
@Suite struct ConversionTests {
    @Test func everyHalfIsReadExactly() throws {
        let patterns = (0...UInt16.max).map { $0 }
        for (instructionSet, kernels) in kernelSets {
            for (type, expected) in [
                (DataType.fp16, patterns.map { Float(Float16(bitPattern: $0)) }),
                (.bf16, patterns.map { Float(BFloat16(bitPattern: $0)) }),
                (.uint16, patterns.map { Float($0) }),
                (.int16, patterns.map { Float(Int16(bitPattern: $0)) }),
            ] {
                let floats = try Self.read(patterns, type, kernels.float)
                let doubles = try Self.read(patterns, type, kernels.double)
                let floatsAgree = zip(floats, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
                let doublesAgree = zip(doubles, expected).allSatisfy { $0 == Double($1) || ($0.isNaN && $1.isNaN) }
                #expect(floatsAgree && doublesAgree, "\(instructionSet) \(type)")
            }
        }
    }

    @Test func everyIntegerIsReadToTheNearest() throws {
        let extremes: [Int64] = [.min, .min + 1, -(1 << 53) - 1, -1, 0, 1, (1 << 53) + 1, (1 << 53) + 3, .max]
        let unsigned: [UInt64] = [0, 1, 1 << 63, (1 << 63) + 1025, .max, .max - 1024, (1 << 53) + 1]
        for (_, kernels) in kernelSets {
            // More than a vector, so that its loop is taken, and a tail.
            let many = (0..<5).flatMap { _ in extremes }
            #expect(try Self.read(many, .int64, kernels.double) == many.map { Double($0) })
            let manyUnsigned = (0..<5).flatMap { _ in unsigned }
            #expect(try Self.read(manyUnsigned, .uint64, kernels.double) == manyUnsigned.map { Double($0) })
            let words = many.map { UInt32(truncatingIfNeeded: $0) }
            #expect(try Self.read(words, .uint32, kernels.double) == words.map { Double($0) })
            let signed = many.map { Int32(truncatingIfNeeded: $0) }
            #expect(try Self.read(signed, .int32, kernels.double) == signed.map { Double($0) })
            let bytes = (0...UInt8.max).map { $0 }
            #expect(try Self.read(bytes, .uint8, kernels.float) == bytes.map { Float($0) })
            #expect(try Self.read(bytes, .bool, kernels.double) == bytes.map { Double($0) })
            #expect(try Self.read(bytes, .int8, kernels.float) == bytes.map { Float(Int8(bitPattern: $0)) })
            #expect(try Self.read(bytes, .int8, kernels.double) == bytes.map { Double(Int8(bitPattern: $0)) })
        }
    }

    /// Random bit patterns, and every FP16 and every tie between two of them, with their neighbours.
    @Test func resultsAreRoundedOnce() throws {
        var generator = SeededGenerator(seed: 11)
        var doubles = (0..<20_000).map { _ in Double(bitPattern: generator.next()) }
        doubles += (0..<20_000).map { _ in Double(Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))) }
        for pattern in 0..<UInt16(0x7c00) {
            let half = Double(Float16(bitPattern: pattern))
            let next = pattern == 0x7bff ? 65536 : Double(Float16(bitPattern: pattern + 1))
            let tie = (half + next) / 2
            doubles += [half, tie, tie.nextUp, tie.nextDown, -tie, -tie.nextUp, -tie.nextDown]
        }
        doubles += [0, -0.0, .nan, .infinity, -.infinity, 65519.99, 65520, 1e300, -1e300, 1e-300, 0x1p-25, 0x1.8p-149]
        // Doubles close to ties of FP32 and BF16: rounding twice would go wrong.
        doubles += (0..<2000).flatMap { _ in
            let tie = Double(
                Float(bitPattern: UInt32.random(in: 0x3f00_0000...0x4100_0000, using: &generator) | 0x8000 & ~0x7fff)
            )
            return [tie, tie.nextUp, tie.nextDown, tie + 0x1p-30, tie - 0x1p-30]
        }
        let floats = doubles.map { Float($0) }
        for (instructionSet, kernels) in kernelSets {
            let same =
                try Self.write(floats, .fp16, Float16.self, kernels.float).elementsEqual(floats.map { Float16($0) }) {
                    $0 == $1 || ($0.isNaN && $1.isNaN)
                }
                && Self.write(doubles, .fp16, Float16.self, kernels.double).elementsEqual(doubles.map { Float16($0) }) {
                    $0 == $1 || ($0.isNaN && $1.isNaN)
                }
                && Self.write(doubles, .fp32, Float.self, kernels.double).elementsEqual(floats) {
                    $0 == $1 || ($0.isNaN && $1.isNaN)
                }
                && Self.write(floats, .fp64, Double.self, kernels.float).elementsEqual(floats.map { Double($0) }) {
                    $0 == $1 || ($0.isNaN && $1.isNaN)
                }
            #expect(same, "\(instructionSet)")
            let narrow = try Self.write(floats, .bf16, BFloat16.self, kernels.float)
            #expect(narrow == floats.map { BFloat16($0) }, "\(instructionSet)")
            let wide = try Self.write(doubles, .bf16, BFloat16.self, kernels.double)
            let wrong = zip(doubles, wide).filter { !Self.isNearest($1, to: $0) }
            #expect(wrong.isEmpty, "\(instructionSet)")
        }
    }

    /// Whether no other BF16 is nearer, and none with an even last place as near.
    private static func isNearest(_ result: BFloat16, to value: Double) -> Bool {
        guard !value.isNaN else { return Float(result).isNaN }
        let largest = Double(Float(BFloat16(bitPattern: 0x7f7f)))
        if value.magnitude >= largest + 0x1p119 { return Double(Float(result)).isInfinite }
        let error = (Double(Float(result)) - value).magnitude
        let magnitude = result.bitPattern & 0x7fff
        return [magnitude &+ 1, magnitude &- 1].filter { $0 <= 0x7f7f }.allSatisfy { pattern in
            let neighbour = Double(Float(BFloat16(bitPattern: pattern | (result.bitPattern & 0x8000))))
            let other = (neighbour - value).magnitude
            return error < other || (error == other && magnitude & 1 == 0)
        }
    }

    private static func read<Element: BitwiseCopyable, Scalar: ComputationScalar>(
        _ elements: [Element],
        _ type: DataType,
        _ kernels: Kernels<Scalar>
    ) throws -> [Scalar] {
        let read = try #require(kernels.reading[type])
        var results = [Scalar](repeating: 0, count: elements.count)
        elements.withUnsafeBytes { source in
            results.withUnsafeMutableBufferPointer { destination in
                if let source = source.baseAddress, let destination = destination.baseAddress {
                    read(source, destination, elements.count)
                }
            }
        }
        return results
    }

    private static func write<Scalar: ComputationScalar, Element: BitwiseCopyable>(
        _ values: [Scalar],
        _ type: DataType,
        _ element: Element.Type,
        _ kernels: Kernels<Scalar>
    ) throws -> [Element] {
        let write = try #require(kernels.writing[type])
        return [Element](unsafeUninitializedCapacity: values.count) { buffer, count in
            values.withUnsafeBufferPointer { source in
                if let source = source.baseAddress, let destination = buffer.baseAddress {
                    write(source, UnsafeMutableRawPointer(destination), values.count)
                    count = values.count
                }
            }
        }
    }
}
