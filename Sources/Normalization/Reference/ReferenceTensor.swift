/// A tensor in FP64, addressed by the index along each axis. Slow and plain: what the layers are held against.
package struct ReferenceTensor: Sendable {
    package let dimensions: [Int]
    package var elements: [Double]

    package init(_ dimensions: [Int], _ elements: [Double]) {
        self.dimensions = dimensions
        self.elements = elements
    }

    /// Every index, the last axis fastest.
    package var indices: [[Int]] {
        self.dimensions.reduce([[]]) { prefixes, dimension in
            prefixes.flatMap { prefix in (0..<dimension).map { prefix + [$0] } }
        }
    }

    package subscript(index: [Int]) -> Double {
        get { self.elements[self.position(index)] }
        set { self.elements[self.position(index)] = newValue }
    }

    private func position(_ index: [Int]) -> Int {
        zip(self.dimensions, index).reduce(0) { $0 * $1.0 + $1.1 }
    }
}
