import Tensors

/// Layers that normalize contiguous rows: layer_norm and rms_norm.
extension Execution {
    mutating func normalizeRows(_ layout: RowLayout) throws(LayerError) {
        let hasAffine = self.plan.weight != nil || self.plan.bias != nil
        let weight = hasAffine ? try RowParameter(self.plan.weight, layout.rowLength, self.kernels) : nil
        let bias = try self.plan.bias.map { parameter throws(LayerError) in
            try RowParameter<Scalar>(parameter, layout.rowLength, self.kernels)
        }
        let epsilon = layout.epsilon ?? .ofMachine(for: self.inputType)
        let rowsPerBlock = max(1, ElementSource<Scalar>.convertedChunkLength / layout.rowLength)
        let coefficients = try Vector<RowCoefficients<Scalar>>(count: rowsPerBlock)
        withExtendedLifetime((weight, bias, coefficients)) {
            for rows in Chunks(0..<layout.rowCount, length: rowsPerBlock) {
                self.computeCoefficients(layout, rows, epsilon, coefficients)
                self.normalize(layout, rows, coefficients, weight: weight?.pointer, bias: bias?.pointer)
            }
        }
    }

    /// The statistics of a block of rows, which do not wait for one another.
    private mutating func computeCoefficients(
        _ layout: RowLayout,
        _ rows: Range<Int>,
        _ epsilon: Epsilon,
        _ coefficients: Vector<RowCoefficients<Scalar>>
    ) {
        let block = layout.range(ofRows: rows)
        let inverseCount = 1 / Double(layout.rowLength)
        for row in rows {
            let range = layout.range(ofRows: row..<row + 1)
            // A block is one chunk, unless it is a single row that is longer.
            let x = block.count <= self.source.chunkLength ? self.source.load(block) : nil
            let moments = x.flatMap { x in
                self.reliableMoments(
                    of: x + (range.lowerBound - block.lowerBound),
                    count: layout.rowLength,
                    inverseCount: inverseCount,
                    isCentered: layout.isCentered
                )
            }
            coefficients[row - rows.lowerBound] = RowCoefficients(
                moments ?? (layout.isCentered ? self.moments(of: range) : self.secondMoment(of: range)),
                epsilon
            )
        }
    }

    private mutating func normalize(
        _ layout: RowLayout,
        _ rows: Range<Int>,
        _ coefficients: Vector<RowCoefficients<Scalar>>,
        weight: UnsafePointer<Scalar>?,
        bias: UnsafePointer<Scalar>?
    ) {
        let block = layout.range(ofRows: rows)
        for chunk in Chunks(block, length: self.chunkLength) {
            let x = self.source.load(chunk)
            let y = self.sink.destination(chunk)
            var position = chunk.lowerBound
            while position < chunk.upperBound {
                let row = (position - block.lowerBound) / layout.rowLength
                let first = position - block.lowerBound - row * layout.rowLength
                let count = min(layout.rowLength - first, chunk.upperBound - position)
                let offset = position - chunk.lowerBound
                let (mean, remainder, scale) = coefficients[row].values
                if let weight {
                    self.kernels.normalizeRow(
                        x + offset,
                        y + offset,
                        count,
                        mean,
                        remainder,
                        scale,
                        weight + first,
                        bias.map { $0 + first }
                    )
                } else {
                    self.kernels.normalizeSpan(x + offset, y + offset, count, mean, remainder, scale, 0)
                }
                position += count
            }
            self.sink.commit(chunk)
        }
    }
}

/// What the elements of a row share.
private struct RowCoefficients<Scalar: ComputationScalar>: BitwiseCopyable {
    let values: (mean: Scalar, remainder: Scalar, scale: Scalar)

    init(_ moments: Moments, _ epsilon: Epsilon) {
        let mean = Scalar(moments.mean)
        let remainder = mean.isFinite ? Scalar((moments.mean - Double(mean)) + moments.remainder) : 0
        self.values = (mean, remainder, Scalar(epsilon.scale(variance: moments.variance)))
    }
}

/// A parameter with one element for each of a row, in the precision of the computation: where it stands, or converted.
private struct RowParameter<Scalar: ComputationScalar> {
    private let tensor: Tensor?
    private let converted: Vector<Scalar>?
    let pointer: UnsafePointer<Scalar>

    /// Absent, it is all ones.
    init(_ parameter: Parameter?, _ count: Int, _ kernels: Kernels<Scalar>) throws(LayerError) {
        self.tensor = parameter?.tensor
        guard let tensor = parameter?.tensor else {
            let ones = try Vector<Scalar>(repeating: 1, count: count)
            self.converted = ones
            self.pointer = UnsafePointer(ones.pointer)
            return
        }
        let base = tensor.buffer.baseAddress + tensor.byteOffset
        if tensor.dataType == Scalar.dataType {
            self.converted = nil
            self.pointer = UnsafePointer(base.assumingMemoryBound(to: Scalar.self))
        } else {
            let vector = try Vector<Scalar>(count: count)
            if let read = kernels.reading[tensor.dataType] {
                read(base, vector.pointer, count)
            } else {
                // Wider than the computation: FP64, or integers that only FP64 holds.
                var wide = try ElementSource<Double>(tensor, kernels: KernelSet.current.double)
                for chunk in wide.chunks(of: 0..<count) {
                    let elements = wide.load(chunk)
                    for index in chunk {
                        vector[index] = Scalar(elements[index - chunk.lowerBound])
                    }
                }
            }
            self.converted = vector
            self.pointer = UnsafePointer(vector.pointer)
        }
    }
}
