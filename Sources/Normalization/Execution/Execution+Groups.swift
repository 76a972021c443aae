/// Layers whose groups of channels have statistics of their own: instance_norm, group_norm, and batch_norm with the
/// statistics of the batch.
extension Execution {
    mutating func normalizeGroups(_ layout: ChannelLayout, _ groups: ChannelGroups) throws(LayerError) {
        var block = try GroupBlock<Scalar>(self.plan, layout, groups, self.kernelSet)
        defer { withExtendedLifetime(block) {} }
        // Whole groups, as many as a block has room for; or one that needs several blocks.
        let groupsPerUnit = max(1, block.coefficients.channelsPerBlock / groups.channelsPerGroup)
        let samplesPerSet = groups.acrossSamples ? layout.sampleCount : 1
        for channels in Chunks(0..<layout.channelCount, length: groupsPerUnit * groups.channelsPerGroup) {
            for samples in Chunks(0..<layout.sampleCount, length: samplesPerSet) {
                let moments = self.groupMoments(block, samples: samples, channels: channels)
                for part in Chunks(channels, length: block.coefficients.channelsPerBlock) {
                    block.setCoefficients(part, firstChannel: channels.lowerBound, moments)
                    self.normalize(layout, samples: samples, channels: part, block.coefficients)
                }
            }
        }
    }

    /// The moments of each group of some channels.
    private mutating func groupMoments(
        _ block: GroupBlock<Scalar>,
        samples: Range<Int>,
        channels: Range<Int>
    ) -> [Moments] {
        let (layout, channelsPerGroup) = (block.layout, block.groups.channelsPerGroup)
        if let columnsPerChannel = block.columnsPerChannelForMoments {
            let matrix = ColumnMatrix(
                rows: layout.rows(ofSamples: samples),
                columns: channels.lowerBound * columnsPerChannel..<channels.upperBound * columnsPerChannel,
                width: layout.channelCount * columnsPerChannel,
                columnsPerGroup: channelsPerGroup * columnsPerChannel
            )
            return self.moments(of: matrix, block.columnSums, block.wideColumnSums)
        }
        return stride(from: channels.lowerBound, to: channels.upperBound, by: channelsPerGroup).map { channel in
            let ranges = samples.lazy.map { sample in
                let first = sample * layout.sampleLength + channel * layout.positionCount
                return first..<first + channelsPerGroup * layout.positionCount
            }
            return self.moments(of: ranges)
        }
    }
}

/// What the groups of a block of channels need: their sums, their coefficients.
private struct GroupBlock<Scalar: ComputationScalar> {
    let layout: ChannelLayout
    let groups: ChannelGroups
    let coefficients: Coefficients<Scalar>
    let columnSums: ColumnSums<Scalar>
    let wideColumnSums: ColumnSums<Double>
    private var affine: ChannelAffine

    init(
        _ plan: NormalizationPlan,
        _ layout: ChannelLayout,
        _ groups: ChannelGroups,
        _ kernelSet: KernelSet
    ) throws(LayerError) {
        self.layout = layout
        self.groups = groups
        self.coefficients = try Coefficients(for: layout)
        self.columnSums = try ColumnSums()
        self.wideColumnSums = try ColumnSums()
        self.affine = try ChannelAffine(weight: plan.weight, bias: plan.bias, kernels: kernelSet.double)
    }

    /// The columns of a channel where the groups' moments are best taken by columns. Not so where a group is a span of
    /// contiguous elements that is long enough.
    var columnsPerChannelForMoments: Int? {
        let isContiguous = !self.layout.isChannelsLast || self.layout.positionCount == 1
        let groupLength = self.groups.channelsPerGroup * self.layout.positionCount
        if isContiguous, !self.groups.acrossSamples, groupLength >= 16 { return nil }
        return self.layout.columnsPerChannel
    }

    /// - Parameter moments: of the groups from `firstChannel` on.
    mutating func setCoefficients(_ channels: Range<Int>, firstChannel: Int, _ moments: [Moments]) {
        let (weight, bias) = self.affine.load(channels)
        var channel = channels.lowerBound
        while channel < channels.upperBound {
            let group = (channel - firstChannel) / self.groups.channelsPerGroup
            let end = min(firstChannel + (group + 1) * self.groups.channelsPerGroup, channels.upperBound)
            let scale = self.groups.epsilon.scale(variance: moments[group].variance)
            for index in channel - channels.lowerBound..<end - channels.lowerBound {
                self.coefficients.set(
                    index,
                    mean: moments[group].mean,
                    remainder: moments[group].remainder,
                    scale: scale * weight[index],
                    shift: bias[index]
                )
            }
            channel = end
        }
    }
}
