import Tensors

/// A tensor-valued parameter.
struct Parameter: Sendable {
    let name: ParameterName
    let tensor: Tensor

    var count: Int { self.tensor.shape.elementCount }

    /// Holds the shape against what it should be: the same, flat, or the same but for axes of length 1.
    func checkShape(_ expected: [Int]) throws(LayerError) {
        let dimensions = self.tensor.shape.dimensions
        guard dimensions.count <= 1 || dimensions.filter({ $0 != 1 }) == expected.filter({ $0 != 1 }) else {
            throw .shapeMismatch(self.name, self.tensor.shape, expected: expected)
        }
    }

    /// Holds the number of elements against one that does not depend on the input.
    func checkCount(_ expected: Int) throws(LayerError) {
        guard self.count == expected else {
            throw .countMismatch(self.name, elementCount: self.count, expected: expected)
        }
    }

    /// Calls `body` with each element, in order.
    func forEachElement(
        _ body: (_ element: Double, _ index: Int) throws(LayerError) -> Void
    ) throws(LayerError) {
        var source = try ElementSource<Double>(self.tensor, kernels: KernelSet.current.double)
        for chunk in source.chunks(of: 0..<self.count) {
            let elements = source.load(chunk)
            for index in chunk {
                try body(elements[index - chunk.lowerBound], index)
            }
        }
    }

    /// All elements of a parameter that has few.
    func elements() throws(LayerError) -> [Double] {
        var elements: [Double] = []
        try self.forEachElement { (element, _) in elements.append(element) }
        return elements
    }

    /// The element of a parameter that has one.
    func onlyElement() throws(LayerError) -> Double {
        try self.checkCount(1)
        return try self.elements()[0]
    }
}

/// What the elements of some parameters must be.
extension Parameter {
    /// Finds the first element that makes a variance impossible.
    func checkVariances(_ epsilon: Epsilon) throws(LayerError) {
        try self.forEachElement { (variance, index) throws(LayerError) in
            guard variance >= 0 else { throw .negativeVariance(self.name, index: index) }
            guard variance > 0 || epsilon.value > 0 else { throw .zeroVariance(self.name, index: index) }
        }
    }

    /// Finds the first element that is no standard deviation.
    func checkDeviations() throws(LayerError) {
        try self.forEachElement { (deviation, index) throws(LayerError) in
            guard deviation >= 0 else { throw .negativeDeviation(self.name, index: index) }
        }
    }

    /// Finds the first element that is no standard deviation, or one that cannot be divided by.
    func checkPositiveDeviations() throws(LayerError) {
        try self.forEachElement { (deviation, index) throws(LayerError) in
            guard deviation > 0 else { throw .deviationNotPositive(self.name, index: index) }
        }
    }

    /// Finds the first element that is no proportion.
    func checkProportions() throws(LayerError) {
        try self.forEachElement { (proportion, index) throws(LayerError) in
            guard (0...1).contains(proportion) else { throw .notAProportion(self.name, index: index) }
        }
    }
}

extension LayerParameters {
    func parameter(_ name: ParameterName) throws(LayerError) -> Parameter? {
        try self.tensor(name).map { Parameter(name: name, tensor: $0) }
    }

    func required(_ name: ParameterName) throws(LayerError) -> Parameter {
        guard let parameter = try self.parameter(name) else { throw .missingParameter(name) }
        return parameter
    }
}
