import Tensors

/// Layers that normalize contiguous rows: layer_norm and rms_norm.
extension Execution {
    mutating func normalizeRows(_ layout: RowLayout) throws(LayerError) {
        let epsilon = layout.epsilon ?? .ofMachine(for: self.inputType)
        let hasAffine = self.plan.weight != nil || self.plan.bias != nil
        let weight = hasAffine ? try RowParameter(self.plan.weight, layout.rowLength, self.kernels) : nil
        let bias = try self.plan.bias.map { parameter throws(LayerError) in
            try RowParameter<Scalar>(parameter, layout.rowLength, self.kernels)
        }
        for row in 0..<layout.rowCount {
            let range = row * layout.rowLength..<(row + 1) * layout.rowLength
            let moments = layout.isCentered ? self.moments(of: range) : self.secondMoment(of: range)
            let mean = Scalar(moments.mean)
            let remainder = mean.isFinite ? Scalar((moments.mean - Double(mean)) + moments.remainder) : 0
            let scale = Scalar(epsilon.scale(variance: moments.variance))
            for chunk in Chunks(range, length: self.chunkLength) {
                let x = self.source.load(chunk)
                let y = self.sink.destination(chunk)
                let first = chunk.lowerBound - range.lowerBound
                if let weight {
                    self.kernels.normalizeRow(
                        x,
                        y,
                        chunk.count,
                        mean,
                        remainder,
                        scale,
                        weight.pointer + first,
                        bias.map { $0.pointer + first }
                    )
                } else {
                    self.kernels.normalizeSpan(x, y, chunk.count, mean, remainder, scale, 0)
                }
                self.sink.commit(chunk)
            }
        }
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
