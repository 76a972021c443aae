/// Mean, biased variance and norms of the elements that share a key, each straight from its definition.
struct ReferenceStatistics {
    private var elements: [[Int]: [Double]] = [:]

    /// - Parameter key: what the elements that are normalized together have in common, from their index.
    init(_ x: ReferenceTensor, key: ([Int]) -> [Int]) {
        for index in x.indices {
            self.elements[key(index), default: []].append(x[index])
        }
    }

    /// For each key: E[x] and E[(x − E[x])²].
    func moments() -> [[Int]: ReferenceMoments] {
        self.elements.mapValues(ReferenceMoments.init)
    }

    /// For each key: E[x²].
    func meanSquares() -> [[Int]: DoubleDouble] {
        self.sumsOfSquares().merging(self.counts()) { $0 / $1 }
    }

    /// For each key: ‖x‖₂.
    func euclideanNorms() -> [[Int]: DoubleDouble] {
        self.sumsOfSquares().mapValues { $0.squareRoot() }
    }

    /// For each key: ‖x‖₁.
    func sumNorms() -> [[Int]: DoubleDouble] {
        self.elements.mapValues { elements in elements.map { DoubleDouble($0.magnitude) }.sum() }
    }

    /// For each key: ‖x‖∞.
    func largestMagnitudes() -> [[Int]: DoubleDouble] {
        self.elements.mapValues { elements in DoubleDouble(elements.map(\.magnitude).max() ?? 0) }
    }

    private func sumsOfSquares() -> [[Int]: DoubleDouble] {
        self.elements.mapValues { elements in elements.map { DoubleDouble($0) * DoubleDouble($0) }.sum() }
    }

    private func counts() -> [[Int]: DoubleDouble] {
        self.elements.mapValues { DoubleDouble(Double($0.count)) }
    }
}

/// Mean and biased variance.
package struct ReferenceMoments: Sendable {
    let mean: DoubleDouble
    let variance: DoubleDouble

    init(mean: DoubleDouble, variance: DoubleDouble) {
        self.mean = mean
        self.variance = variance
    }

    package init(of elements: [Double]) {
        let count = DoubleDouble(Double(elements.count))
        let mean = elements.map { DoubleDouble($0) }.sum() / count
        self.mean = mean
        self.variance =
            elements.map { element in
                let difference = DoubleDouble(element) - mean
                return difference * difference
            }.sum() / count
    }
}
