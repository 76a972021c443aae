import Tensors
import Testing

@testable import Normalization

@Suite struct SpectralNormTests {
    private func layer(_ parameters: [ParameterName: ParameterValue] = [:]) throws -> SpectralNorm {
        try SpectralNorm(LayerParameters(parameters))
    }

    private func sigma(
        _ values: [Double],
        _ dimensions: [Int],
        _ dataType: DataType = .fp64,
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) throws -> Double {
        let input = try Tensor(values, dimensions, dataType)
        return try #require(try self.layer(parameters).normalize(input, into: .fp64).sigma)
    }

    /// A square matrix with these numbers on its diagonal.
    private func diagonal(_ elements: [Double]) -> [Double] {
        elements.indices.flatMap { row in elements.indices.map { row == $0 ? elements[row] : 0 } }
    }

    @Test(arguments: 0..<80 as Range<UInt64>)
    func reference(seed: UInt64) throws {
        var scenario = try SpecialScenario(seed: seed, ranks: 1...5, limits: [0, 5000, 40, 14, 7, 5])
        let rank = scenario.dimensions.count
        let dim = Int.random(in: -rank..<rank, using: &scenario.generator)
        let axis = dim < 0 ? dim + rank : dim
        let rows = Reference.rows(scenario.x, axis: axis)
        let columnCount = scenario.values.count / rows.count
        // The input comes as a matrix of few large roundings or of none: FP64 on both sides.
        let roundings = 0x1p-53 * Double(scenario.values.count + 64)
        var parameters: [ParameterName: ParameterValue] = [.dim: .integer(dim)]
        let sigma: Double
        let tolerance: Double
        switch seed % 4 {
        case 0, 1:
            sigma = Reference.largestSingularValue(rows)
            tolerance = sigma * 1e-7
        case 2:
            let left = scenario.generator.uniform(rows.count, in: -1...1)
            let right = Bool.random(using: &scenario.generator) ? scenario.generator.uniform(columnCount) : nil
            parameters[.u] = try .vector(left, .fp64)
            parameters[.v] = try right.map { try .vector($0) }
            sigma = Reference.sigma(rows, left: left, right: right)
            // Of the sum without cancellation.
            tolerance =
                roundings
                * Reference.sigma(
                    rows.map { $0.map(\.magnitude) },
                    left: left.map(\.magnitude),
                    right: right?.map(\.magnitude)
                )
        default:
            let count = Int.random(in: 1...4, using: &scenario.generator)
            parameters[.powerIterationCount] = .integer(count)
            let start = rows.indices.map { SpectralIteration<Double>.startElement($0) }
            sigma = Reference.sigma(rows, start: start, powerIterationCount: count)
            // Each iteration takes over what the one before has lost.
            tolerance = 100 * roundings * Reference.largestSingularValue(rows)
        }
        // A weight of zeros has no direction.
        guard sigma > 0 else { return }
        let expected = Reference.spectralNorm(scenario.x, sigma: sigma)
        let relative = tolerance / sigma.magnitude
        let reported = try scenario.check(self.layer(parameters), expected, comment: "seed \(seed), dim \(dim)") {
            (2 * relative + 0x1p-50) * expected.elements[$0].magnitude
        }
        #expect(try (#require(reported) - sigma).magnitude <= tolerance, "seed \(seed)")
    }

    /// Where a start could be orthogonal to the answer, if it were less random.
    @Test func structuredMatrices() throws {
        #expect(try abs(self.sigma(self.diagonal([3, 1, 7, 0.5]), [4, 4]) - 7) <= 7e-12)
        #expect(try abs(self.sigma(self.diagonal([1, 0, 0, -5, 0]), [5, 5]) - 5) <= 5e-12)
        // Every size of a single element, row and column.
        #expect(try self.sigma([-3], [1]) == 3)
        #expect(try abs(self.sigma([3, -4], [1, 2]) - 5) <= 1e-14)
        #expect(try abs(self.sigma([3, -4], [2, 1]) - 5) <= 1e-14)
        #expect(try abs(self.sigma([3, -4], [2]) - 5) <= 1e-14)
        // One row that is not zero; one element that is not zero.
        var values = [Double](repeating: 0, count: 60)
        values.replaceSubrange(20..<30, with: [Double](repeating: 2, count: 10))
        #expect(try abs(self.sigma(values, [6, 10]) - 40.squareRoot()) <= 1e-13)
        values = [Double](repeating: 0, count: 60)
        values[59] = 1e-9
        #expect(try abs(self.sigma(values, [6, 10]) / 1e-9 - 1) <= 1e-13)
        // Rank one, of vectors that are orthogonal to all ones.
        let u = (0..<20).map { $0 % 2 == 0 ? 1.0 : -1 }
        #expect(try abs(self.sigma(u.flatMap { row in u.map { row * $0 } }, [20, 20]) - 20) <= 1e-12)
        // Two blocks; the larger one is the smaller matrix.
        var blocks = self.diagonal([Double](repeating: 1, count: 12))
        for (row, column) in [(10, 10), (10, 11), (11, 10), (11, 11)] { blocks[row * 12 + column] = 4 }
        #expect(try abs(self.sigma(blocks, [12, 12]) - 8) <= 1e-12)
    }

    @Test func orthogonalMatrices() throws {
        // Hadamard's, a permutation, a reflection.
        let hadamard = (0..<64).flatMap { row in
            (0..<64).map { ((row & $0).nonzeroBitCount % 2 == 0 ? 1.0 : -1) / 8 }
        }
        let permutation = (0..<50).flatMap { row in (0..<50).map { $0 == row * 7 % 50 ? 1.0 : 0 } }
        let reflection = (0..<30).flatMap { row in (0..<30).map { (row == $0 ? 1 : 0) - 2.0 / 30 } }
        for (matrix, size) in [(hadamard, 64), (permutation, 50), (reflection, 30)] {
            let input = try Tensor(matrix, [size, size], .fp64)
            let normalized = try self.layer().normalize(input, into: .fp64)
            #expect(try abs(#require(normalized.sigma) - 1) <= 1e-14)
            #expect(zip(normalized.output.values, matrix).allSatisfy { abs($0 - $1) <= 1e-14 })
        }
    }

    /// Singular values that are closer together than what is asked for, and just not.
    @Test(arguments: [1e-9, 1e-6, 1e-5, 1e-4, 1e-3])
    func clusteredSingularValues(spread: Double) throws {
        let sigma = try self.sigma(self.diagonal((0..<200).map { 1 - spread * Double($0) / 199 }), [200, 200])
        #expect(abs(sigma - 1) <= 1e-7)
    }

    @Test func scales() throws {
        for scale in [1e-300, 1e-160, 1e160, 1e300] {
            let input = try Tensor([3, 1, 2, 5, -1, 4].map { $0 * scale }, [2, 3], .fp64)
            let normalized = try self.layer().normalize(input, into: .fp64)
            let expected = Reference.largestSingularValue([[3, 1, 2], [5, -1, 4]])
            #expect(try abs(#require(normalized.sigma) / scale / expected - 1) <= 1e-12, "\(scale)")
            #expect(abs(normalized.output.values[3] - 5 / expected) <= 1e-12, "\(scale)")
        }
        // The reciprocal of σ would be infinite in FP32.
        #expect(try self.layer().apply([1e-44, 0], [2, 1]) == [1, 0])
    }

    @Test func zerosAndNonFiniteValues() throws {
        for parameters in try [
            [:], [.u: .vector([1, 0])], [.powerIterationCount: .integer(3)],
        ] as [[ParameterName: ParameterValue]] {
            let zeros = try self.layer(parameters).normalize(Tensor([0, 0, 0, 0, 0, 0], [2, 3]), into: .fp32)
            #expect(zeros.sigma == 0)
            #expect(zeros.output.values == [0, 0, 0, 0, 0, 0])
            for value in [Double.nan, .infinity] {
                let input = try Tensor([1, 2, 3, 4, 5, value], [2, 3])
                let normalized = try self.layer(parameters).normalize(input, into: .fp32)
                #expect(normalized.sigma?.isNaN == true)
                #expect(normalized.output.values.allSatisfy { $0.isNaN })
            }
            let empty = try self.layer(parameters).normalize(Tensor([], [2, 0]), into: .fp32)
            #expect(empty.sigma == 0)
        }
        // u is orthogonal to all columns.
        let layer = try self.layer([.u: .vector([1, -1])])
        let input = try Tensor([1, 2, 1, 2], [2, 2])
        #expect(throws: LayerError.zeroSigma) { try layer.normalize(input, into: .fp32) }
        #expect(input.values == [1, 2, 1, 2])
    }

    @Test(arguments: [(0, [240, 2500]), (1, [20, 60, 500]), (-1, [1500, 400]), (1, [300, 250, 9])])
    func sameBits(dim: Int, dimensions: [Int]) throws {
        var generator = SeededGenerator(seed: 6)
        let values = generator.uniform(dimensions.reduce(1, *), in: -1...1)
        let layer = try self.layer([.dim: .integer(dim), .powerIterationCount: .integer(3)])
        try expectSameBits(layer, values, dimensions, "dim \(dim)")
    }

    /// What a source converts in chunks, and how a matrix is cut, does not change what is computed.
    @Test func wideMatrices() throws {
        var generator = SeededGenerator(seed: 7)
        for dimensions in [[3, 5003], [5003, 3], [2, 4099, 3]] {
            let values = (0..<dimensions.reduce(1, *)).map { _ in Double(Int.random(in: -9...9, using: &generator)) }
            for axis in dimensions.indices {
                let expected = Reference.largestSingularValue(
                    Reference.rows(ReferenceTensor(dimensions, values), axis: axis)
                )
                for type in [DataType.int8, .fp16, .fp32, .int32, .fp64] {
                    let sigma = try self.sigma(values, dimensions, type, [.dim: .integer(axis)])
                    #expect(abs(sigma / expected - 1) <= 1e-7, "\(dimensions) \(axis) \(type)")
                }
            }
        }
    }

    @Test func parameters() throws {
        func error(
            _ parameters: [ParameterName: ParameterValue],
            _ dimensions: [Int] = [2, 3, 4]
        ) throws -> LayerError? {
            try layerError(SpectralNorm.self, parameters, dimensions)
        }
        let u = try ParameterValue.vector([1, 0])
        #expect(try error([:]) == nil)
        #expect(try error([.dim: .integer(3)]) == .axisOutOfRange(3, rank: 3, .dim))
        #expect(try error([.dim: .integer(-4)])?.description.hasPrefix("dim is -4") == true)
        #expect(try error([.dim: .real(0)]) == .wrongKind(.dim, expected: .integer))
        #expect(try error([.u: .vector([1])]) == .axisLengthMismatch(.u, elementCount: 1, length: 2, axis: 0))
        #expect(try error([.u: u, .dim: .integer(-1)]) == .axisLengthMismatch(.u, elementCount: 2, length: 4, axis: 2))
        #expect(try error([.u: .real(1)]) == .wrongKind(.u, expected: .tensor))
        #expect(try error([.u: u, .v: u]) == .countMismatch(.v, elementCount: 2, expected: 12))
        #expect(try error([.u: u, .v: .real(1)]) == .wrongKind(.v, expected: .tensor))
        let transposed = ParameterValue.tensor(try Tensor([Double](repeating: 1, count: 12), [4, 3]))
        #expect(try error([.u: u, .v: transposed]) == .shapeMismatch(.v, Shape([4, 3]), expected: [3, 4]))
        #expect(try error([.v: u]) == .missingParameter(.u))
        #expect(
            try error([.u: u, .powerIterationCount: .integer(1)]) == .conflictingParameters(.u, .powerIterationCount)
        )
        for count in [0, -1, 10_001, Int.max, .min] {
            #expect(
                try error([.powerIterationCount: .integer(count)])
                    == .outOfRange(.powerIterationCount, count, 1...10_000)
            )
        }
        #expect(try error([.powerIterationCount: .real(1)])?.parameter == .powerIterationCount)
        #expect(try error([:], []) == .unsupportedRank(0, supported: 1...5))
        #expect(try error([:], [1, 1, 1, 1, 1, 1]) == .unsupportedRank(6, supported: 1...5))
        #expect(LayerError.notConverged(stepCount: 7).parameter == .powerIterationCount)
    }
}
