import Glibc

/// The layers that take no mean and no variance.
extension Reference {
    /// γ · tanh(alpha · x) + β over the last axis, Zhu et al. 2025.
    package static func dynamicTanh(_ x: ReferenceTensor, alpha: Double, _ affine: Affine) -> ReferenceTensor {
        var y = x
        for index in x.indices {
            y[index] = affine.apply(DoubleDouble(tanh(alpha * x[index])), at: index[index.count - 1])
        }
        return y
    }

    /// x / (k + alpha/size · Σx²)^beta over neighbouring channels, Krizhevsky, Sutskever and Hinton 2012.
    package static func localResponseNorm(
        _ x: ReferenceTensor,
        channelAxis: Int,
        size: Int,
        alpha: Double,
        beta: Double,
        k: Double
    ) -> ReferenceTensor {
        var y = x
        let channelCount = x.dimensions[channelAxis]
        let stride = x.dimensions[(channelAxis + 1)...].reduce(1, *)
        for position in x.elements.indices {
            let channel = position / stride % channelCount
            var sum = 0.0
            for distance in max(-(size / 2), -channel)...min((size - 1) / 2, channelCount - 1 - channel) {
                let neighbour = x.elements[position + distance * stride]
                sum += neighbour * neighbour
            }
            y.elements[position] = x.elements[position] / pow(k + alpha / Double(size) * sum, beta)
        }
        return y
    }

    /// W / σ, Miyato et al. 2018.
    package static func spectralNorm(_ x: ReferenceTensor, sigma: Double) -> ReferenceTensor {
        ReferenceTensor(x.dimensions, x.elements.map { sigma == 0 ? $0 : $0 / sigma })
    }

    /// A tensor as the rows of a matrix: one per index along `axis`, the other axes in their order.
    package static func rows(_ x: ReferenceTensor, axis: Int) -> [[Double]] {
        var rows = [[Double]](repeating: [], count: x.dimensions[axis])
        for index in x.indices {
            rows[index[axis]].append(x[index])
        }
        return rows
    }

    /// σ₁ by one-sided Jacobi rotations (Hestenes 1958): rows are turned until all are orthogonal, and the longest
    /// is as long as σ₁.
    package static func largestSingularValue(_ rows: [[Double]]) -> Double {
        guard let width = rows.first?.count else { return 0 }
        // Of the matrix and its transpose, the one with fewer rows.
        var rows = rows.count <= width ? rows : (0..<width).map { column in rows.map { $0[column] } }
        var isDone = false
        while !isDone {
            isDone = true
            for i in rows.indices {
                for j in rows.indices where j > i {
                    let (a, b) = (self.dot(rows[i], rows[i]), self.dot(rows[j], rows[j]))
                    let c = self.dot(rows[i], rows[j])
                    guard c.magnitude > 1e-15 * (a * b).squareRoot() else { continue }
                    isDone = false
                    let zeta = (b - a) / (2 * c)
                    let t = (zeta < 0 ? -1 : 1) / (zeta.magnitude + (1 + zeta * zeta).squareRoot())
                    let cosine = 1 / (1 + t * t).squareRoot()
                    let sine = cosine * t
                    let (p, q) = (rows[i], rows[j])
                    rows[i] = zip(p, q).map { cosine * $0 - sine * $1 }
                    rows[j] = zip(p, q).map { sine * $0 + cosine * $1 }
                }
            }
        }
        return rows.map { self.dot($0, $0).squareRoot() }.reduce(0, max)
    }

    /// uᵀ·W·v; v is the direction of Wᵀ·u where it is absent.
    package static func sigma(_ rows: [[Double]], left: [Double], right: [Double]?) -> Double {
        let product = self.transposedProduct(rows, left)
        return right.map { self.dot(product, $0) } ?? self.dot(product, product).squareRoot()
    }

    /// σ after some power iterations from u = `start`.
    package static func sigma(_ rows: [[Double]], start: [Double], powerIterationCount: Int) -> Double {
        var left = start
        var sigma = 0.0
        for _ in 0..<powerIterationCount {
            let product = self.transposedProduct(rows, left)
            let length = self.dot(product, product).squareRoot()
            let right = product.map { $0 / length }
            left = rows.map { self.dot($0, right) }
            sigma = self.dot(left, left).squareRoot()
            left = left.map { $0 / sigma }
        }
        return sigma
    }

    private static func transposedProduct(_ rows: [[Double]], _ vector: [Double]) -> [Double] {
        var sums = [Double](repeating: 0, count: rows.first?.count ?? 0)
        for (row, factor) in zip(rows, vector) {
            for column in row.indices {
                sums[column] += row[column] * factor
            }
        }
        return sums
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
