import AlignedMemory
import Tensors

/// What a layer does to an input of some shape, everything about it checked.
public struct NormalizationPlan: Sendable {
    enum Computation: Sendable {
        case channels(ChannelComputation)
        case rows(RowComputation)
        case tanh(TanhComputation)
        case neighbours(NeighbourComputation)
        case spectral(SpectralComputation)
        case permuted(PermutedComputation)
    }

    let computation: Computation

    init(_ computation: Computation) {
        self.computation = computation
    }

    func execute(
        on input: Tensor,
        into outputType: DataType,
        threadCount: Int,
        kernels: KernelSet
    ) throws(LayerError) -> NormalizedTensor {
        let output = try Self.output(for: input, outputType)
        guard input.shape.elementCount > 0 else {
            // A matrix without elements has no singular value but zero.
            guard case .spectral = self.computation else { return NormalizedTensor(output) }
            return NormalizedTensor(output, sigma: 0)
        }
        defer { withExtendedLifetime((self, input)) {} }
        if input.dataType.computesInDouble {
            return try self.run(Job<Double>(input, output, kernels, threadCount: threadCount))
        } else {
            return try self.run(Job<Float>(input, output, kernels, threadCount: threadCount))
        }
    }

    private func run<Scalar>(_ job: Job<Scalar>) throws(LayerError) -> NormalizedTensor {
        switch self.computation {
        case .channels(let channels): try channels.run(job)
        case .rows(let rows): try rows.run(job)
        case .tanh(let tanh): try tanh.run(job)
        case .neighbours(let neighbours): try neighbours.run(job)
        case .spectral(let spectral): return NormalizedTensor(job.output, sigma: try spectral.run(job))
        case .permuted(let permuted): try permuted.run(job)
        }
        return NormalizedTensor(job.output)
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
