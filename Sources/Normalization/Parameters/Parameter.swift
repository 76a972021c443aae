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

    /// Finds the first element that makes a variance impossible.
    func checkVariances(_ epsilon: Epsilon) throws(LayerError) {
        var variances = try ElementSource<Double>(self.tensor, kernels: KernelSet.current.double)
        for chunk in variances.chunks(of: 0..<self.count) {
            let elements = variances.load(chunk)
            for index in chunk {
                let variance = elements[index - chunk.lowerBound]
                guard variance >= 0 else { throw .negativeVariance(self.name, index: index) }
                guard variance > 0 || epsilon.value > 0 else { throw .zeroVariance(self.name, index: index) }
            }
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
