import AlignedMemory
import Tensors

extension ChannelMoments {
    /// Mean and biased variance of each channel of each sample of a tensor, as FP64 tensors of shape (N, C).
    ///
    /// - Parameter layout: of the tensor, which has at least one position.
    static func tensors(
        of tensor: Tensor,
        _ layout: ChannelLayout
    ) throws(LayerError) -> (means: Tensor, variances: Tensor) {
        if tensor.dataType.computesInDouble {
            try Self.tensors(Job<Double>(tensor, tensor, .current, threadCount: 1), layout)
        } else {
            try Self.tensors(Job<Float>(tensor, tensor, .current, threadCount: 1), layout)
        }
    }

    private static func tensors<Scalar>(
        _ job: Job<Scalar>,
        _ layout: ChannelLayout
    ) throws(LayerError) -> (means: Tensor, variances: Tensor) {
        let (means, variances) = (try Self.makeTensor(layout), try Self.makeTensor(layout))
        let (meanElements, varianceElements) = (means.elements(as: Double.self), variances.elements(as: Double.self))
        let computation = ChannelComputation(layout, ChannelStatistics(), ConstantRule(scale: 1))
        let blockLength = min(ChannelWorker<Scalar>.blockLength, layout.channelCount)
        var source = try job.makeSource()
        var groups = try GroupStatistics(computation, ChannelStatistics(), groupCount: blockLength, job)
        for sample in 0..<layout.sampleCount {
            for channels in Chunks(0..<layout.channelCount, length: blockLength) {
                groups.take(channels, samples: sample..<sample + 1, from: &source)
                for index in 0..<channels.count {
                    let element = sample * layout.channelCount + channels.lowerBound + index
                    meanElements[element] = groups.groups.means[index] + groups.groups.remainders[index]
                    varianceElements[element] = groups.groups.spreads[index]
                }
            }
        }
        withExtendedLifetime((means, variances, job)) {}
        return (means, variances)
    }

    private static func makeTensor(_ layout: ChannelLayout) throws(LayerError) -> Tensor {
        do {
            return try Tensor(uninitialized: .fp64, shape: Shape([layout.sampleCount, layout.channelCount]))
        } catch let error as AllocationError {
            throw .outOfMemory(byteCount: error.byteCount)
        } catch {
            preconditionFailure("a part of a shape that was counted can be counted")
        }
    }
}
