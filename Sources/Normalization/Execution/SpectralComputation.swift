/// y = W/σ.
struct SpectralComputation: Sendable {
    /// Where σ comes from.
    enum Method: Sendable {
        /// uᵀ·W·v, where v is the direction of Wᵀ·u if it is absent.
        case frozen(left: Parameter, right: Parameter?)
        /// So many power iterations from `startElement`.
        case power(iterationCount: Int)
        /// Lanczos steps from `startElement`, until σ has settled.
        case settled
    }

    let matrix: WeightMatrix
    let method: Method

    /// - Returns: σ.
    func run<Scalar>(_ job: Job<Scalar>) throws(LayerError) -> Double {
        let largest = try self.largestMagnitude(job)
        let factor = Self.factor(for: largest)
        let sigma: Double
        if largest == 0 {
            sigma = 0
        } else if !largest.isFinite {
            sigma = .nan
        } else {
            let iteration = try SpectralIteration(self.matrix, factor: factor, job)
            switch self.method {
            case .frozen(let left, let right): sigma = try iteration.sigma(left: left, right: right)
            case .power(let count): sigma = try iteration.sigma(powerIterationCount: count)
            case .settled: sigma = try iteration.settledSigma()
            }
            guard sigma != 0 else { throw .zeroSigma }
        }
        try job.distribute(unitCount: Self.unitCount(job)) { () throws(LayerError) in
            DivisionWorker(
                source: try job.makeSource(),
                sink: try job.makeSink(),
                kernel: job.kernels.divideSpan,
                elementCount: job.input.shape.elementCount,
                factor: factor,
                // Zeros stay zeros.
                divisor: largest == 0 ? 1 : sigma
            )
        }
        return sigma / factor
    }

    /// A power of two for which the fourth powers of the singular values of W·factor are neither infinite nor zero.
    /// At most 2^±960, so that the elements of unit vectors stay normal numbers when they are multiplied by it.
    private static func factor(for largest: Double) -> Double {
        guard largest > 0, largest.isFinite, abs(largest.exponent) > 200 else { return 1 }
        return Double(sign: .plus, exponent: -max(-960, min(960, Int(largest.exponent))), significand: 1)
    }

    fileprivate static let unitLength = 1 << 16

    private static func unitCount<Scalar>(_ job: Job<Scalar>) -> Int {
        (job.input.shape.elementCount - 1) / self.unitLength + 1
    }

    /// The largest magnitude; NaN or infinity where an element is not finite.
    private func largestMagnitude<Scalar>(_ job: Job<Scalar>) throws(LayerError) -> Double {
        let maxima = try Vector<Double>(count: Self.unitCount(job))
        try job.distribute(unitCount: maxima.count) { () throws(LayerError) in
            MagnitudeWorker(
                source: try job.makeSource(),
                kernel: job.kernels.largestMagnitude,
                elementCount: job.input.shape.elementCount,
                maxima: maxima
            )
        }
        var largest = 0.0
        for unit in 0..<maxima.count {
            // Not max(), which may lose NaN.
            guard maxima[unit].isFinite else { return maxima[unit] }
            largest = max(largest, maxima[unit])
        }
        return largest
    }
}

private func elements(ofUnit unit: Int, of count: Int) -> Range<Int> {
    let length = SpectralComputation.unitLength
    return unit * length..<min((unit + 1) * length, count)
}

private struct MagnitudeWorker<Scalar: ComputationScalar>: UnitWorker {
    var source: ElementSource<Scalar>
    let kernel: @Sendable (UnsafePointer<Scalar>, Int) -> Double
    let elementCount: Int
    let maxima: Vector<Double>

    mutating func perform(_ unit: Int) {
        var largest = 0.0
        for range in self.source.chunks(of: elements(ofUnit: unit, of: self.elementCount)) {
            let magnitude = self.kernel(self.source.load(range), range.count)
            largest = magnitude > largest || !magnitude.isFinite ? magnitude : largest
            guard largest.isFinite else { break }
        }
        self.maxima[unit] = largest
    }
}

private struct DivisionWorker<Scalar: ComputationScalar>: UnitWorker {
    var source: ElementSource<Scalar>
    let sink: ElementSink<Scalar>
    let kernel: Kernels<Scalar>.DivideSpan
    let elementCount: Int
    let factor: Double
    let divisor: Double

    mutating func perform(_ unit: Int) {
        let chunkLength = min(self.source.chunkLength, self.sink.chunkLength)
        for range in Chunks(elements(ofUnit: unit, of: self.elementCount), length: chunkLength) {
            self.kernel(
                self.source.load(range),
                self.sink.destination(range),
                range.count,
                self.factor,
                self.divisor
            )
            self.sink.commit(range)
        }
    }
}
