/// A symmetric tridiagonal matrix with positive elements beside its diagonal, as the Lanczos process makes them.
struct SymmetricTridiagonal {
    private(set) var diagonal: [Double] = []

    /// One less than there are rows.
    private(set) var offDiagonal: [Double] = []

    /// Adds a row and a column.
    mutating func append(_ element: Double, beside offDiagonal: Double?) {
        self.diagonal.append(element)
        if let offDiagonal {
            self.offDiagonal.append(offDiagonal)
        }
    }

    /// The eigenvalue that `rank` others exceed, from above: bisection by Sylvester's law of inertia.
    func eigenvalue(rank: Int) -> Double {
        var (low, high) = (0.0, 0.0)
        for row in self.diagonal.indices {
            let before = row > 0 ? self.offDiagonal[row - 1] : 0
            let after = row < self.offDiagonal.count ? self.offDiagonal[row] : 0
            // Gershgorin's circles.
            low = min(low, self.diagonal[row] - before - after)
            high = max(high, self.diagonal[row] + before + after)
        }
        while true {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { return high }
            if self.countOfEigenvalues(above: middle) > rank {
                low = middle
            } else {
                high = middle
            }
        }
    }

    private func countOfEigenvalues(above x: Double) -> Int {
        var count = 0
        var pivot = 1.0
        for row in self.diagonal.indices {
            let coupling = row > 0 ? self.offDiagonal[row - 1] : 0
            pivot = self.diagonal[row] - x - coupling * coupling / pivot
            if pivot == 0 {
                pivot = -.leastNormalMagnitude
            }
            if pivot > 0 {
                count += 1
            }
        }
        return count
    }

    /// The last component of the normalized eigenvector of the largest eigenvalue, by inverse iteration.
    ///
    /// - Parameter shift: the eigenvalue, or a little more. The shifted matrix is then an M-matrix up to its sign: no
    ///   step of its solution subtracts, and components that are many powers of ten smaller than others are right too.
    func lastComponent(shift: Double) -> Double {
        let count = self.diagonal.count
        var pivots = [Double](repeating: 0, count: count)
        let smallest = shift * 0x1p-52
        for row in 0..<count {
            let coupling = row > 0 ? self.offDiagonal[row - 1] : 0
            let pivot = shift - self.diagonal[row] - (row > 0 ? coupling * coupling / pivots[row - 1] : 0)
            pivots[row] = max(pivot, smallest)
        }
        var vector = [Double](repeating: 1, count: count)
        for _ in 0..<3 {
            for row in 1..<max(1, count) {
                vector[row] += self.offDiagonal[row - 1] / pivots[row - 1] * vector[row - 1]
            }
            vector[count - 1] /= pivots[count - 1]
            for row in (0..<count - 1).reversed() {
                vector[row] = (vector[row] + self.offDiagonal[row] * vector[row + 1]) / pivots[row]
            }
            let largest = vector.reduce(0, max)
            vector = vector.map { $0 / largest }
        }
        let squares = vector.reduce(0) { $0 + $1 * $1 }
        return vector[count - 1] / squares.squareRoot()
    }
}
