/// Mean and biased variance of the elements that share a key, each straight from its definition.
struct ReferenceStatistics {
    private var elements: [[Int]: [Double]] = [:]

    /// - Parameter key: what the elements that are normalized together have in common, from their index.
    init(_ x: ReferenceTensor, key: ([Int]) -> [Int]) {
        for index in x.indices {
            self.elements[key(index), default: []].append(x[index])
        }
    }

    /// For each key: E[x] and E[(x − E[x])²].
    func meansAndVariances() -> [[Int]: (mean: Double, variance: Double)] {
        self.elements.mapValues { elements in
            let mean = Self.mean(elements)
            return (mean, Self.mean(elements.map { ($0 - mean) * ($0 - mean) }))
        }
    }

    /// For each key: E[x²].
    func meanSquares() -> [[Int]: Double] {
        self.elements.mapValues { elements in Self.mean(elements.map { $0 * $0 }) }
    }

    private static func mean(_ elements: [Double]) -> Double {
        elements.reduce(0, +) / Double(elements.count)
    }
}
