/// The largest singular value of W·factor by iteration.
struct SpectralIteration<Scalar: ComputationScalar> {
    private let matrix: WeightMatrix
    private let factor: Double
    private let job: Job<Scalar>

    /// A vector with an element per row, and one with an element per column.
    private let left: Vector<Double>
    private let right: Vector<Double>
    private let nextLeft: Vector<Double>
    private let nextRight: Vector<Double>

    init(_ matrix: WeightMatrix, factor: Double, _ job: Job<Scalar>) throws(LayerError) {
        self.matrix = matrix
        self.factor = factor
        self.job = job
        self.left = try Vector(count: matrix.rowCount)
        self.right = try Vector(count: matrix.columnCount)
        self.nextLeft = try Vector(count: matrix.rowCount)
        self.nextRight = try Vector(count: matrix.columnCount)
    }

    /// uᵀ·W·v, where v is the direction of Wᵀ·u if it is absent.
    func sigma(left: Parameter, right: Parameter?) throws(LayerError) -> Double {
        try left.forEachElement { (element, index) in self.left[index] = element }
        try self.multiplyTransposed(subtracting: 0)
        guard let right else { return self.norm(self.nextRight) }
        try right.forEachElement { (element, index) in self.right[index] = element }
        return self.product(self.nextRight, self.right)
    }

    /// As torch iterates: v = Wᵀ·u/‖Wᵀ·u‖, u = W·v/‖W·v‖; σ is the last ‖W·v‖ = uᵀ·W·v.
    func sigma(powerIterationCount: Int) throws(LayerError) -> Double {
        self.start()
        var sigma = 0.0
        for _ in 0..<powerIterationCount {
            try self.multiplyTransposed(subtracting: 0)
            let length = self.norm(self.nextRight)
            guard length > 0 else { return 0 }
            self.scale(self.nextRight, 1 / length, into: self.right)
            try self.multiply(subtracting: 0)
            sigma = self.norm(self.nextLeft)
            guard sigma > 0 else { return 0 }
            self.scale(self.nextLeft, 1 / sigma, into: self.left)
        }
        return sigma
    }

    /// By the bidiagonalization of Golub and Kahan 1965, which is the Lanczos process of WᵀW: a step costs as much as a
    /// power iteration, and takes all earlier steps into account. T is the tridiagonal matrix of the process; the root
    /// of its largest eigenvalue θ² tends to σ from below.
    ///
    /// A residual r bounds the distance to an eigenvalue of WᵀW by r, and by r²/gap where no other eigenvalue is as
    /// near as the gap (Parlett 1980, §11.7). σ has settled when one of the two says that θ² is within 2e-8 of itself,
    /// the second, whose gap is an estimate, only together with a change since the last time that is as small.
    func settledSigma() throws(LayerError) -> Double {
        let elementCount = self.matrix.rowCount * self.matrix.columnCount
        let stepLimit = max(32, min(1000, spectralElementLimit / max(1, elementCount)))
        self.start()
        try self.multiplyTransposed(subtracting: 0)
        var alpha = self.norm(self.nextRight)
        guard alpha > 0 else { return 0 }
        self.scale(self.nextRight, 1 / alpha, into: self.right)
        var tridiagonal = SymmetricTridiagonal()
        var coupling: Double?
        var nextCheck = 1
        var last = 0.0
        for step in 1...stepLimit {
            try self.multiply(subtracting: alpha)
            let beta = self.norm(self.nextLeft)
            tridiagonal.append(alpha * alpha + beta * beta, beside: coupling)
            if beta > 0 {
                self.scale(self.nextLeft, 1 / beta, into: self.left)
                try self.multiplyTransposed(subtracting: beta)
                alpha = self.norm(self.nextRight)
            } else {
                alpha = 0
            }
            let isInvariant = alpha == 0 || beta == 0
            coupling = alpha * beta
            if isInvariant || step == nextCheck || step == stepLimit {
                let largest = tridiagonal.eigenvalue(rank: 0)
                guard !isInvariant else { return largest.squareRoot() }
                let residual = alpha * beta * tridiagonal.lastComponent(shift: largest)
                let tolerance = 2e-8 * largest
                if residual <= tolerance { return largest.squareRoot() }
                if largest - last <= tolerance, step >= 8 {
                    let gap = largest - tridiagonal.eigenvalue(rank: 1)
                    if residual * residual <= tolerance * gap { return largest.squareRoot() }
                }
                last = largest
                nextCheck = step + 1 + step / 8
            }
            self.scale(self.nextRight, 1 / alpha, into: self.right)
        }
        throw .notConverged(stepCount: stepLimit)
    }
}

/// How many elements all iterations together may go over: seconds of work.
let spectralElementLimit = 1 << 34

extension SpectralIteration {
    /// Where every iteration starts: numbers from −1 to 1 that look random, so that no structure of a weight is likely
    /// to be orthogonal to them. SplitMix64 (Steele, Lea and Flood 2014) with the seed 0.
    static func startElement(_ index: Int) -> Double {
        var z = UInt64(truncatingIfNeeded: index + 1) &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        return Double(Int64(bitPattern: z) >> 11) * 0x1p-52
    }

    private func start() {
        for index in 0..<self.nextLeft.count {
            self.nextLeft[index] = Self.startElement(index)
        }
        self.scale(self.nextLeft, 1 / self.norm(self.nextLeft), into: self.left)
    }

    /// nextLeft = W·right − amount·left
    private func multiply(subtracting amount: Double) throws(LayerError) {
        self.scale(self.left, -amount, into: self.nextLeft)
        let vector = try self.scaled(self.right)
        try self.matrix.addProduct(with: vector, to: self.nextLeft, self.job)
    }

    /// nextRight = Wᵀ·left − amount·right
    private func multiplyTransposed(subtracting amount: Double) throws(LayerError) {
        self.scale(self.right, -amount, into: self.nextRight)
        let vector = try self.scaled(self.left)
        try self.matrix.addTransposedProduct(with: vector, to: self.nextRight, self.job)
    }

    /// A vector that makes the product with W that of W·factor.
    private func scaled(_ vector: Vector<Double>) throws(LayerError) -> Vector<Double> {
        guard self.factor != 1 else { return vector }
        let scaled = try Vector<Double>(count: vector.count)
        self.scale(vector, self.factor, into: scaled)
        return scaled
    }

    private func scale(_ vector: Vector<Double>, _ factor: Double, into result: Vector<Double>) {
        guard factor != 0 else {
            result.pointer.update(repeating: 0, count: result.count)
            return
        }
        self.job.kernelSet.double.divideSpan(vector.pointer, result.pointer, vector.count, factor, 1)
    }

    private func norm(_ vector: Vector<Double>) -> Double {
        self.product(vector, vector).squareRoot()
    }

    private func product(_ a: Vector<Double>, _ b: Vector<Double>) -> Double {
        var total = 0.0
        for chunk in Chunks(0..<a.count, length: 1 << 14) {
            let first = chunk.lowerBound
            self.job.kernelSet.double
                .addProduct(a.pointer + first, 1, chunk.count, chunk.count, b.pointer + first, &total)
        }
        return total
    }
}
