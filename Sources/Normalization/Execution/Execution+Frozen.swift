/// Layers whose statistics are known before: batch_norm, and instance_norm with running statistics.
extension Execution {
    mutating func normalizeFrozen(_ layout: ChannelLayout, _ statistics: FrozenStatistics) throws(LayerError) {
        var means = try ElementSource<Double>(statistics.mean.tensor, kernels: self.kernelSet.double)
        var variances = try ElementSource<Double>(statistics.variance.tensor, kernels: self.kernelSet.double)
        var affine = try ChannelAffine(
            weight: self.plan.weight,
            bias: self.plan.bias,
            kernels: self.kernelSet.double
        )
        let coefficients = try Coefficients<Scalar>(for: layout)
        defer { withExtendedLifetime(coefficients) {} }
        for channels in Chunks(0..<layout.channelCount, length: coefficients.channelsPerBlock) {
            let (mean, variance) = (means.load(channels), variances.load(channels))
            let (weight, bias) = affine.load(channels)
            for index in 0..<channels.count {
                coefficients.set(
                    index,
                    mean: mean[index],
                    scale: statistics.epsilon.scale(variance: variance[index]) * weight[index],
                    shift: bias[index]
                )
            }
            self.normalize(layout, samples: 0..<layout.sampleCount, channels: channels, coefficients)
        }
    }

    /// Multiplies by zero, which keeps NaN and makes NaN of the infinite, and adds β.
    mutating func normalizeWithoutSpread(_ layout: ChannelLayout) throws(LayerError) {
        var affine = try ChannelAffine(weight: nil, bias: self.plan.bias, kernels: self.kernelSet.double)
        let coefficients = try Coefficients<Scalar>(for: layout)
        defer { withExtendedLifetime(coefficients) {} }
        for channels in Chunks(0..<layout.channelCount, length: coefficients.channelsPerBlock) {
            let bias = affine.load(channels).bias
            for index in 0..<channels.count {
                coefficients.set(index, mean: 0, scale: 0, shift: bias[index])
            }
            self.normalize(layout, samples: 0..<layout.sampleCount, channels: channels, coefficients)
        }
    }

    /// Normalizes some channels of some samples, by coefficients that begin with those of the first channel.
    mutating func normalize(
        _ layout: ChannelLayout,
        samples: Range<Int>,
        channels: Range<Int>,
        _ coefficients: Coefficients<Scalar>
    ) {
        if let columnsPerChannel = layout.columnsPerChannel {
            self.normalizeColumns(
                channels.lowerBound * columnsPerChannel..<channels.upperBound * columnsPerChannel,
                width: layout.channelCount * columnsPerChannel,
                rows: layout.rows(ofSamples: samples),
                coefficients
            )
            return
        }
        for sample in samples {
            let first = sample * layout.sampleLength + channels.lowerBound * layout.positionCount
            let range = first..<first + channels.count * layout.positionCount
            for chunk in Chunks(range, length: self.chunkLength) {
                self.normalizeSpans(chunk, origin: first, spanLength: layout.positionCount, coefficients)
            }
        }
    }

    /// Normalizes a chunk of channels that stand one after the other from `origin` on.
    private mutating func normalizeSpans(
        _ chunk: Range<Int>,
        origin: Int,
        spanLength: Int,
        _ coefficients: Coefficients<Scalar>
    ) {
        let x = self.source.load(chunk)
        let y = self.sink.destination(chunk)
        var position = chunk.lowerBound
        while position < chunk.upperBound {
            let channel = (position - origin) / spanLength
            let end = min(origin + (channel + 1) * spanLength, chunk.upperBound)
            let offset = position - chunk.lowerBound
            self.kernels.normalizeSpan(
                x + offset,
                y + offset,
                end - position,
                coefficients.means[channel],
                coefficients.remainders[channel],
                coefficients.scales[channel],
                coefficients.shifts[channel]
            )
            position = end
        }
        self.sink.commit(chunk)
    }
}
