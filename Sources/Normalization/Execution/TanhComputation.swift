/// y = weight·tanh(alpha·x) + bias, where the features are the last axis.
struct TanhComputation: Sendable {
    let featureCount: Int
    let alpha: Double
    let weight: Parameter?
    let bias: Parameter?

    /// How many elements a unit has.
    private static var unitLength: Int { 1 << 16 }

    func run<Scalar>(_ job: Job<Scalar>) throws(LayerError) {
        let alpha = Scalar(self.alpha)
        guard Scalar.self == Double.self || alpha.isNormal || Double(alpha) == self.alpha else {
            // Too large or too small for FP32, and maybe not so its product with an element.
            return try self.run(Job<Double>(job.input, job.output, job.kernelSet, threadCount: job.threadCount))
        }
        let weights = try Self.features(self.weight, count: self.featureCount, default: Scalar(1))
        let biases = try self.bias.map { bias throws(LayerError) in
            try Self.features(bias, count: self.featureCount, default: Scalar(0))
        }
        let count = job.input.shape.elementCount
        try job.distribute(unitCount: (count - 1) / Self.unitLength + 1) { () throws(LayerError) in
            TanhWorker(
                source: try job.makeSource(),
                sink: try job.makeSink(),
                kernel: job.kernels.scaledTanh,
                alpha: alpha,
                weights: weights,
                biases: biases,
                elementCount: count,
                unitLength: Self.unitLength
            )
        }
    }

    /// A parameter's elements, again and again where they are few, so that a piece of the input takes many rows.
    private static func features<Scalar: ComputationScalar>(
        _ parameter: Parameter?,
        count: Int,
        default defaultValue: Scalar
    ) throws(LayerError) -> Vector<Scalar> {
        let repeats = max(1, ElementSource<Scalar>.convertedChunkLength / count)
        guard let parameter else { return try Vector(repeating: defaultValue, count: repeats * count) }
        let features = try Vector<Scalar>(count: repeats * count)
        try parameter.forEachElement { (element, index) in features[index] = Scalar(element) }
        for index in count..<max(count, features.count) {
            features[index] = features[index - count]
        }
        return features
    }
}

/// One thread of a `TanhComputation`.
private struct TanhWorker<Scalar: ComputationScalar>: UnitWorker {
    var source: ElementSource<Scalar>
    let sink: ElementSink<Scalar>
    let kernel: Kernels<Scalar>.ScaledTanh
    let alpha: Scalar
    let weights: Vector<Scalar>
    let biases: Vector<Scalar>?
    let elementCount: Int
    let unitLength: Int

    mutating func perform(_ unit: Int) {
        let end = min((unit + 1) * self.unitLength, self.elementCount)
        var start = unit * self.unitLength
        while start < end {
            let feature = start % self.weights.count
            let length = min(end - start, self.weights.count - feature, ElementSource<Scalar>.convertedChunkLength)
            let range = start..<start + length
            self.kernel(
                self.source.load(range),
                self.sink.destination(range),
                length,
                self.alpha,
                self.weights.pointer + feature,
                self.biases.map { UnsafePointer($0.pointer + feature) }
            )
            self.sink.commit(range)
            start += length
        }
    }
}
