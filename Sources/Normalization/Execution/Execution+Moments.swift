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
        return Moments(center: Double(center), sum: sum, squares: squares, count: count)
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
        return Moments(squares: squares, count: range.count)
    }
}
