/// Statistics of contiguous elements.
extension Execution {
    /// Mean and variance of a range.
    mutating func moments(of range: Range<Int>) -> Moments {
        self.moments(of: CollectionOfOne(range))
    }

    /// Mean and variance of the elements of some ranges together; the first is not empty.
    mutating func moments(of ranges: some Collection<Range<Int>>) -> Moments {
        let moments = Self.moments(of: ranges, &self.source, self.kernels)
        guard Scalar.self != Double.self, !moments.isReliableInFloat else { return moments }
        return Execution<Double>.moments(of: ranges, &self.wideSource, self.kernelSet.double)
    }

    /// The mean of the squares of a range.
    mutating func secondMoment(of range: Range<Int>) -> Moments {
        let moments = Self.secondMoment(of: range, &self.source, self.kernels)
        guard Scalar.self != Double.self, !moments.isReliableInFloat else { return moments }
        return Execution<Double>.secondMoment(of: range, &self.wideSource, self.kernelSet.double)
    }

    /// Mean and variance of contiguous elements, or the mean of their squares; nothing where FP32 cannot hold them.
    func reliableMoments(
        of x: UnsafePointer<Scalar>,
        count: Int,
        inverseCount: Double,
        isCentered: Bool
    ) -> Moments? {
        let moments =
            isCentered
            ? self.centeredMoments(of: x, count: count, inverseCount: inverseCount)
            : Moments(squares: self.kernels.centeredSums(x, count, 0).squares, inverseCount: inverseCount)
        return Scalar.self == Double.self || moments.isReliableInFloat ? moments : nil
    }

    private func centeredMoments(of x: UnsafePointer<Scalar>, count: Int, inverseCount: Double) -> Moments {
        let sum = self.kernels.sumOfDifferences(x, count, x[0])
        let center = Scalar(Double(x[0]) + sum * inverseCount)
        let sums = self.kernels.centeredSums(x, count, center)
        return Moments(center: Double(center), sum: sums.sum, squares: sums.squares, inverseCount: inverseCount)
    }

    private static func moments(
        of ranges: some Collection<Range<Int>>,
        _ source: inout ElementSource<Scalar>,
        _ kernels: Kernels<Scalar>
    ) -> Moments {
        // Differences from the first element are small where the spread is, and zero where there is none.
        var first: Scalar?
        var (sum, count) = (0.0, 0)
        for range in ranges {
            for chunk in source.chunks(of: range) {
                let x = source.load(chunk)
                let origin = first ?? x[0]
                first = origin
                sum += kernels.sumOfDifferences(x, chunk.count, origin)
            }
            count += range.count
        }
        let center = Scalar(Double(first ?? 0) + sum / Double(count))
        var squares = 0.0
        sum = 0
        for range in ranges {
            for chunk in source.chunks(of: range) {
                let sums = kernels.centeredSums(source.load(chunk), chunk.count, center)
                sum += sums.sum
                squares += sums.squares
            }
        }
        return Moments(center: Double(center), sum: sum, squares: squares, inverseCount: 1 / Double(count))
    }

    private static func secondMoment(
        of range: Range<Int>,
        _ source: inout ElementSource<Scalar>,
        _ kernels: Kernels<Scalar>
    ) -> Moments {
        var squares = 0.0
        for chunk in source.chunks(of: range) {
            squares += kernels.centeredSums(source.load(chunk), chunk.count, 0).squares
        }
        return Moments(squares: squares, inverseCount: 1 / Double(range.count))
    }
}
