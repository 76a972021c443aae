import AlignedMemory
import Tensors

@testable import Normalization

extension FuzzTarget {
    /// A layer of any type with any parameters and any input, the kernels of any instruction set; byte by byte as
    /// `Choices` takes them. Memory ends right before the input and right behind it, which makes no difference.
    static let layers = FuzzTarget(name: "layers") { input in
        var choices = Choices(input)
        let type = choices.element(of: LayerType.all)
        let kernels = choices.element(of: kernelSets)
        let inputType = choices.element(of: [.fp32, .fp64, .fp16, .bf16] + DataType.allCases)
        let outputType = choices.element(of: [.fp32, .fp64, .fp16, .bf16] + DataType.allCases)
        let threadCount = 1 + choices.number(below: 3)
        let shape = try choices.shape()
        var values: [ParameterName: ParameterValue] = [:]
        for parameter in type.parameters where choices.byte() & 3 != 3 {
            values[parameter.name] = try choices.value(parameter.kind, of: shape)
        }
        let content = try choices.tensor(inputType, shape)
        let layer: any NormalizationLayer
        do throws(LayerError) {
            layer = try type.makeLayer(LayerParameters(values))
        } catch {
            precondition(!error.description.isEmpty, "an error has words")
            return
        }
        let outputs = try [content, content.movedToEnd()].map { input -> [UInt8]? in
            do throws(LayerError) {
                let output = try layer.normalize(input, into: outputType, threadCount: threadCount, kernels: kernels)
                precondition(output.output.shape == shape, "an output has the shape of its input")
                precondition(output.output.dataType == outputType, "an output has the type that was asked for")
                return output.output.bits
            } catch {
                precondition(!error.description.isEmpty, "an error has words")
                return nil
            }
        }
        precondition(outputs[0] == outputs[1], "\(type.name): it does not matter where the memory ends")
    }

    private static let kernelSets = InstructionSet.allCases.filter { $0 <= .best }.map { KernelSet.of($0) }
}

extension Choices {
    /// Lengths around those of vectors, and few elements in all.
    fileprivate mutating func shape() throws -> Shape {
        var dimensions: [Int] = []
        var room = 4096
        for _ in 0..<[4, 3, 2, 1, 5, 0][self.number(below: 6)] {
            let lengths = [2, 3, 4, 1, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 100, 257, 1_000, 0]
            let length = min(self.element(of: lengths), room)
            dimensions.append(length)
            room /= max(length, 1)
        }
        return try Shape(dimensions)
    }

    /// A value of this kind, or now and then of another.
    fileprivate mutating func value(_ kind: ParameterKind, of shape: Shape) throws -> ParameterValue {
        switch kind {
        case .tensor: return .tensor(try self.parameter(of: shape))
        case .real: return .real(self.real())
        case .integer: return .integer(self.integer(of: shape))
        case .boolean: return .boolean(self.byte() & 1 == 0)
        case .choice(let words): return .text(self.element(of: words + ["other"]))
        case .integers:
            if self.byte() & 1 == 0 { return .integers(Array(shape.dimensions.suffix(self.number(below: 4)))) }
            return .integers((0..<self.number(below: 5)).map { _ in self.integer(of: shape) })
        case .realOrWord(let words): return self.byte() & 1 == 0 ? .real(self.real()) : .text(self.element(of: words))
        case .integerOrNull: return self.byte() & 3 == 0 ? .null : .integer(self.integer(of: shape))
        case .realOrTensor:
            return self.byte() & 1 == 0 ? .real(self.real()) : .tensor(try self.parameter(of: shape))
        }
    }

    private mutating func real() -> Double {
        self.element(of: [
            1, 0, 0.5, 1e-5, -1, 2, 3, 1e-12, 0.75, -0.0, 1e-300, .leastNonzeroMagnitude, 1e300, 1e38, .infinity,
            -.infinity, .nan,
        ])
    }

    private mutating func integer(of shape: Shape) -> Int {
        self.element(of: [1, 0, 2, 3, -1, -2, 4, 5, 8, 16, 100, .max, .min] + shape.dimensions)
    }

    /// A tensor that fits some axis or axes of the input, or none.
    private mutating func parameter(of shape: Shape) throws -> Tensor {
        let dimensions = shape.dimensions
        let channels = dimensions.count > 1 ? dimensions[1] : 1
        let shapes = [
            [channels], [dimensions.last ?? 1], [1], Array(dimensions.dropFirst()), dimensions, [dimensions.first ?? 1],
            [1, channels, 1, 1], Array(dimensions.prefix(2)), Array(dimensions.suffix(2)), [3], [2, channels * 2], [],
            [0], [7],
        ]
        return try self.tensor(
            self.element(of: [.fp32, .fp64, .fp16, .bf16] + DataType.allCases),
            Shape(self.element(of: shapes))
        )
    }

    /// Elements whose bytes are those of the input, again and again, or all the same; memory begins with them.
    fileprivate mutating func tensor(_ dataType: DataType, _ shape: Shape) throws -> Tensor {
        let tensor = try Tensor(uninitialized: dataType, shape: shape)
        let pattern: [UInt8]
        switch self.number(below: 4) {
        case 0: pattern = (0..<1 + self.number(below: 48)).map { _ in self.byte() }
        case 1: pattern = [0x3F, 0x80, 0x40, 0x00, 0xBF, 0x00, 0x3E]
        case 2: pattern = [self.element(of: [0x00, 0xFF, 0x7F, 0x80, 0x01, 0x3C])]
        default: pattern = (0..<61).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
        }
        withExtendedLifetime(tensor) {
            let bytes = tensor.bytes
            for index in bytes.indices {
                let byte = pattern[index % pattern.count]
                bytes[index] = dataType == .bool ? byte & 1 : byte
            }
        }
        return tensor
    }
}

extension Tensor {
    /// The bytes of the elements.
    var bits: [UInt8] { withExtendedLifetime(self) { Array(self.bytes) } }

    /// A copy behind whose elements memory ends.
    fileprivate func movedToEnd() throws -> Tensor {
        let offset = max(AlignedBuffer.alignment - self.byteCount, 3 * self.dataType.byteWidth)
        let buffer = try AlignedBuffer(capacity: offset + self.byteCount)
        let copy = Tensor(self.dataType, shape: self.shape, in: buffer, at: offset)
        withExtendedLifetime((self, copy)) { copy.bytes.copyMemory(from: UnsafeRawBufferPointer(self.bytes)) }
        return copy
    }
}
