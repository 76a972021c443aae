import AlignedMemory
import Tensors

/// What a layer does to an input of some shape, everything about it checked.
public struct NormalizationPlan: Sendable {
    enum Computation: Sendable {
        /// Every channel by statistics that are known before.
        case frozen(ChannelLayout, FrozenStatistics)
        /// Single elements, each of which is its own mean: β remains, and what is not finite.
        case withoutSpread(ChannelLayout)
        /// Groups of channels by statistics of their own.
        case grouped(ChannelLayout, ChannelGroups)
        /// Contiguous rows by statistics of their own.
        case rows(RowLayout)
    }

    let computation: Computation
    let weight: Parameter?
    let bias: Parameter?

    func execute(
        on input: Tensor,
        into outputType: DataType,
        threadCount: Int,
        kernels: KernelSet
    ) throws(LayerError) -> NormalizedTensor {
        let output = try Self.output(for: input, outputType)
        guard input.shape.elementCount > 0 else { return NormalizedTensor(output) }
        defer { withExtendedLifetime((self, input)) {} }
        if input.dataType.computesInDouble {
            var execution = try Execution<Double>(self, input, output, kernels)
            try execution.run()
        } else {
            var execution = try Execution<Float>(self, input, output, kernels)
            try execution.run()
        }
        return NormalizedTensor(output)
    }

    /// The input's memory where the elements have the same width, else new memory.
    private static func output(for input: Tensor, _ outputType: DataType) throws(LayerError) -> Tensor {
        if input.dataType.byteWidth == outputType.byteWidth {
            return Tensor(outputType, shape: input.shape, in: input.buffer, at: input.byteOffset)
        }
        do {
            return try Tensor(uninitialized: outputType, shape: input.shape)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
    }
}

/// Which channels share their statistics.
struct ChannelGroups: Sendable {
    /// How many neighbouring channels make a group.
    let channelsPerGroup: Int

    /// Whether the samples share them too.
    let acrossSamples: Bool

    let epsilon: Epsilon
}

/// An input seen as rows that are normalized on their own.
struct RowLayout: Sendable {
    let rowCount: Int
    let rowLength: Int

    /// Whether the mean is subtracted.
    let isCentered: Bool

    /// None stands for the machine epsilon of the input's type.
    let epsilon: Epsilon?

    /// The elements of some rows, counted in the whole tensor.
    func range(ofRows rows: Range<Int>) -> Range<Int> {
        rows.lowerBound * self.rowLength..<rows.upperBound * self.rowLength
    }
}
