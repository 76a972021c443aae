/// Takes the statistics of groups of channels, some groups at a time.
struct GroupStatistics<Scalar: ComputationScalar> {
    private let computation: ChannelComputation
    private let statistics: ChannelStatistics
    private let kernels: Kernels<Scalar>
    private let wideKernels: Kernels<Double>

    /// The elements in FP64, for statistics that FP32 cannot hold.
    private var wideSource: ElementSource<Double>

    private let columns: ColumnStatistics<Scalar>?
    private let wideColumns: ColumnStatistics<Double>?

    /// One element for each group.
    private let moments: MomentVector

    /// What the vectors hold now.
    private var channels = 0..<0
    private var samples = 0..<0

    /// - Parameter groupCount: how many groups are taken together at most.
    init(
        _ computation: ChannelComputation,
        _ statistics: ChannelStatistics,
        groupCount: Int,
        _ job: Job<Scalar>
    ) throws(LayerError) {
        self.computation = computation
        self.statistics = statistics
        self.kernels = job.kernels
        self.wideKernels = job.kernelSet.double
        self.wideSource = try job.makeWideSource()
        self.columns = computation.takesColumnStatistics ? try ColumnStatistics(job.kernels) : nil
        self.wideColumns = computation.takesColumnStatistics ? try ColumnStatistics(job.kernelSet.double) : nil
        self.moments = try MomentVector(count: groupCount)
    }

    /// The statistics of some groups, one element each. Valid until the next ones are taken.
    var groups: ChannelMoments {
        ChannelMoments(
            means: self.moments.means,
            remainders: self.moments.remainders,
            spreads: self.moments.spreads
        )
    }

    /// Takes the statistics of the groups of some channels, if they are not there already.
    mutating func take(_ channels: Range<Int>, samples: Range<Int>, from source: inout ElementSource<Scalar>) {
        guard channels != self.channels || samples != self.samples else { return }
        (self.channels, self.samples) = (channels, samples)
        if let columns {
            self.takeColumns(columns, &source)
        } else if self.groupLength == 1, self.statistics.kind == .moments {
            self.takeElements(&source)
        } else if self.statistics.isAcrossSamples || self.groupLength > source.chunkLength {
            self.takeRanges(&source)
        } else {
            self.takeRows(&source)
        }
    }

    private var groupLength: Int { self.statistics.channelsPerGroup * self.computation.layout.positionCount }

    private var groupIndices: Range<Int> { 0..<self.channels.count / self.statistics.channelsPerGroup }

    /// Whether squares of FP32 numbers overflowed or lost digits on the way.
    private func needsWide(_ group: Int) -> Bool {
        guard Scalar.self != Double.self else { return false }
        return switch self.statistics.kind {
        case .moments, .meanSquare:
            !Moments.isReliableInFloat(self.moments.spreads[group], mean: self.moments.means[group])
        case .meanMagnitude, .largestMagnitude: false
        }
    }

    /// Groups of one element, which is its own mean.
    private mutating func takeElements(_ source: inout ElementSource<Scalar>) {
        let range = self.computation.layout.range(ofSample: self.samples.lowerBound, channels: self.channels)
        for chunk in source.chunks(of: range) {
            let x = source.load(chunk)
            for index in 0..<chunk.count {
                let group = chunk.lowerBound - range.lowerBound + index
                self.moments.means[group] = Double(x[index])
                // NaN where the element is not finite.
                self.moments.spreads[group] = Double(x[index] - x[index])
            }
        }
    }

    /// Groups that are contiguous and fit into what the source loads.
    private mutating func takeRows(_ source: inout ElementSource<Scalar>) {
        let layout = self.computation.layout
        let range = layout.range(ofSample: self.samples.lowerBound, channels: self.channels)
        let groupsPerLoad = max(1, min(source.chunkLength, range.count) / self.groupLength)
        for groups in Chunks(self.groupIndices, length: groupsPerLoad) {
            let first = range.lowerBound + groups.lowerBound * self.groupLength
            let x = source.load(first..<first + groups.count * self.groupLength)
            switch self.statistics.kind {
            case .moments:
                self.kernels.rowMoments(
                    x,
                    groups.count,
                    self.groupLength,
                    self.moments.means + groups.lowerBound,
                    self.moments.remainders + groups.lowerBound,
                    self.moments.spreads + groups.lowerBound
                )
            case .meanSquare:
                self.kernels.rowMeanSquares(x, groups.count, self.groupLength, self.moments.spreads + groups.lowerBound)
            case .meanMagnitude:
                for group in groups {
                    let row = x + (group - groups.lowerBound) * self.groupLength
                    self.moments.spreads[group] =
                        self.kernels.sumOfMagnitudes(row, self.groupLength) / Double(self.groupLength)
                }
            case .largestMagnitude:
                for group in groups {
                    let row = x + (group - groups.lowerBound) * self.groupLength
                    self.moments.spreads[group] = self.kernels.largestMagnitude(row, self.groupLength)
                }
            }
        }
        for group in self.groupIndices where self.needsWide(group) {
            let ranges = self.ranges(of: group)
            // Zeros are what FP32 holds best, and there are many: padding, black pixels.
            if self.moments.spreads[group] == 0, source.moments(of: ranges, .largestMagnitude, self.kernels).spread == 0
            {
                continue
            }
            self.moments.set(group, self.wideSource.moments(of: ranges, self.statistics.kind, self.wideKernels))
        }
    }

    /// Groups of several ranges, or of one that is longer than what the source loads.
    private mutating func takeRanges(_ source: inout ElementSource<Scalar>) {
        for group in self.groupIndices {
            let ranges = self.ranges(of: group)
            self.moments.set(group, source.moments(of: ranges, self.statistics.kind, self.kernels))
            if self.needsWide(group) {
                self.moments.set(group, self.wideSource.moments(of: ranges, self.statistics.kind, self.wideKernels))
            }
        }
    }

    private mutating func takeColumns(_ columns: ColumnStatistics<Scalar>, _ source: inout ElementSource<Scalar>) {
        let columnsPerChannel = self.computation.columnsPerChannel ?? 1
        let matrix = ColumnMatrix(
            rows: self.computation.rows(ofSamples: self.samples),
            columns: self.channels.lowerBound * columnsPerChannel..<self.channels.upperBound * columnsPerChannel,
            width: self.computation.layout.channelCount * columnsPerChannel,
            columnsPerGroup: self.statistics.channelsPerGroup * columnsPerChannel
        )
        for (group, moments) in columns.take(self.statistics.kind, of: matrix, &source).enumerated() {
            self.moments.set(group, moments)
        }
        guard let wideColumns, self.groupIndices.contains(where: self.needsWide) else { return }
        let wide = wideColumns.take(self.statistics.kind, of: matrix, &self.wideSource)
        // Only these: what the others hold must not depend on their neighbours.
        for group in self.groupIndices where self.needsWide(group) {
            self.moments.set(group, wide[group])
        }
    }

    /// Where the elements of a group are, sample by sample.
    private func ranges(of group: Int) -> some Collection<Range<Int>> {
        let (layout, groupSize) = (self.computation.layout, self.statistics.channelsPerGroup)
        let first = self.channels.lowerBound + group * groupSize
        return self.samples.lazy.map { layout.range(ofSample: $0, channels: first..<first + groupSize) }
    }
}
