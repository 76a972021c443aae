import AlignedMemory
import Tensors

extension ChannelComputation {
    /// E[x] and the biased Var[x] of each channel of each sample, as (N, C) in FP64. The tensor is not empty.
    static func moments(
        of tensor: Tensor,
        _ layout: ChannelLayout
    ) throws(LayerError) -> (means: Tensor, variances: Tensor) {
        let statistics = ChannelStatistics()
        let computation = ChannelComputation(layout, statistics, NoRule())
        let job = Job<Double>(tensor, tensor, .current, threadCount: 1)
        var source = try job.makeSource()
        // Small samples are folded into one.
        let folded = computation.layout
        let channelsPerBlock = min(ChannelWorker<Double>.blockLength, folded.channelCount)
        var groups = try GroupStatistics(computation, statistics, groupCount: channelsPerBlock, job)
        let means = try Self.numbers(for: folded)
        let variances = try Self.numbers(for: folded)
        defer { withExtendedLifetime((tensor, means, variances)) {} }
        for sample in 0..<folded.sampleCount {
            for channels in Chunks(0..<folded.channelCount, length: channelsPerBlock) {
                groups.take(channels, samples: sample..<sample + 1, from: &source)
                for (index, channel) in channels.enumerated() {
                    let position = sample * folded.channelCount + channel
                    means.elements(as: Double.self)[position] = groups.groups.means[index]
                    variances.elements(as: Double.self)[position] = groups.groups.spreads[index]
                }
            }
        }
        return (means, variances)
    }

    /// Room for a number for each channel of each sample.
    private static func numbers(for layout: ChannelLayout) throws(LayerError) -> Tensor {
        do {
            return try Tensor(
                uninitialized: .fp64,
                // No larger than the tensor.
                shape: Shape([layout.sampleCount * layout.channelCount])
            )
        } catch let error as AllocationError {
            throw .outOfMemory(byteCount: error.byteCount)
        } catch {
            throw .outOfMemory(byteCount: .max)
        }
    }
}

/// For statistics that nothing is normalized by.
private struct NoRule: ChannelRule {
    var parameters: [ChannelParameter] { [] }

    func fill(_ transforms: ChannelTransforms, for block: ChannelBlock) {}
}
