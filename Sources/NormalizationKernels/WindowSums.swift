// Computed in FP64 whatever the elements are: the squares of FP32 neither overflow there nor lose digits.

/// How many rows a window may have for its sums to be taken one by one.
private let directLength = 16

/// x² of contiguous elements.
public func squares(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Double>, count: Int) {
    var index = 0
    while index < count {
        let element = Double(x[index])
        y[index] = element * element
        index &+= 1
    }
}

/// x² of contiguous elements.
public func squares(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, count: Int) {
    var index = 0
    while index < count {
        y[index] = x[index] * x[index]
        index &+= 1
    }
}

/// The sums of each column of a row-major matrix without gaps over windows of rows: from `before` rows before each row
/// to `after` rows after it, as far as there are such rows. Destroys `x`, which does not overlap `sums`.
///
/// No sum takes in, and none subtracts, what is not in its window. A row costs a few additions however long the windows
/// are: from 17 rows on they are put together of a sum to the end of a block of rows that is as long as a window and
/// one from the beginning of the next block (van Herk 1992, Gil and Werman 1993). These are compensated, so that a sum
/// of any number of rows is within a few roundings.
public func windowSums(
    _ x: UnsafeMutablePointer<Double>,
    into sums: UnsafeMutablePointer<Double>,
    rows: Int,
    columns: Int,
    before: Int,
    after: Int
) {
    let (before, after) = (min(before, rows &- 1), min(after, rows &- 1))
    if before &+ after < directLength {
        sumDirectly(x, sums, rows, columns, before, after)
    } else {
        sumByBlocks(x, sums, rows, columns, before, after)
    }
}

@inline(__always)
private func sumDirectly(
    _ x: UnsafePointer<Double>,
    _ sums: UnsafeMutablePointer<Double>,
    _ rows: Int,
    _ columns: Int,
    _ before: Int,
    _ after: Int
) {
    // Rows whose windows are whole have the same terms, and are taken as one long row.
    let endWhole = max(rows &- after, before)
    var row = 0
    while row < rows {
        let endRow = row == before && row < endWhole ? endWhole : row &+ 1
        let (first, last) = (max(row &- before, 0), min(row &+ after, rows &- 1))
        let (source, destination) = (x + first &* columns, sums + row &* columns)
        let (count, termCount) = ((endRow &- row) &* columns, last &- first &+ 1)
        var index = 0
        while index &+ DoubleVector.scalarCount <= count {
            var sum = load(source, index)
            var term = 1
            while term < termCount {
                sum += load(source, index &+ term &* columns)
                term &+= 1
            }
            store(sum, destination, index)
            index &+= DoubleVector.scalarCount
        }
        while index < count {
            var sum = source[index]
            var term = 1
            while term < termCount {
                sum += source[index &+ term &* columns]
                term &+= 1
            }
            destination[index] = sum
            index &+= 1
        }
        row = endRow
    }
}

@inline(__always)
private func sumByBlocks(
    _ x: UnsafeMutablePointer<Double>,
    _ sums: UnsafeMutablePointer<Double>,
    _ rows: Int,
    _ columns: Int,
    _ before: Int,
    _ after: Int
) {
    let length = before &+ after &+ 1
    // Sums from the beginning of each block go to `sums`, those to its end take the place of the elements.
    var start = 0
    while start < rows {
        let end = min(start &+ length, rows)
        let last = (end &- 1) &* columns
        runningSums(x + start &* columns, sums + start &* columns, end &- start, columns, columns)
        runningSums(x + last, x + last, end &- start, columns, 0 &- columns)
        start = end
    }
    // The sum from the beginning of a block to a row is not needed after that row, and may be overwritten.
    var row = 0
    while row < rows {
        let (first, last) = (max(row &- before, 0), min(row &+ after, rows &- 1))
        let (head, tail, destination) = (x + first &* columns, sums + last &* columns, sums + row &* columns)
        var index = 0
        if first / length != last / length {
            while index &+ DoubleVector.scalarCount <= columns {
                store(load(head, index) + load(tail, index), destination, index)
                index &+= DoubleVector.scalarCount
            }
            while index < columns {
                destination[index] = head[index] + tail[index]
                index &+= 1
            }
        } else {
            // The window begins with a block, or else it ends with the last one.
            let whole = first % length == 0 ? tail : head
            while index < columns {
                destination[index] = whole[index]
                index &+= 1
            }
        }
        row &+= 1
    }
}

/// The sum of each column up to and with each row; rows are `stride` elements apart, backwards if that is negative.
/// `x` and `y` are the same memory or do not overlap.
@inline(__always)
private func runningSums(
    _ x: UnsafePointer<Double>,
    _ y: UnsafeMutablePointer<Double>,
    _ rows: Int,
    _ columns: Int,
    _ stride: Int
) {
    var column = 0
    while column &+ DoubleVector.scalarCount <= columns {
        var (sum, lost) = (DoubleVector.zero, DoubleVector.zero)
        var row = 0
        while row < rows {
            let index = column &+ row &* stride
            let term = load(x, index)
            // Knuth's sum of two numbers without loss.
            let next = sum + term
            let taken = next - sum
            lost += (sum - (next - taken)) + (term - taken)
            sum = next
            let total = sum + lost
            // Of infinity nothing is lost, but the difference of two is not a number.
            store(total.replacing(with: sum, where: total .!= total), y, index)
            row &+= 1
        }
        column &+= DoubleVector.scalarCount
    }
    while column < columns {
        var (sum, lost) = (0.0, 0.0)
        var row = 0
        while row < rows {
            let index = column &+ row &* stride
            let term = x[index]
            let next = sum + term
            let taken = next - sum
            lost += (sum - (next - taken)) + (term - taken)
            sum = next
            let total = sum + lost
            y[index] = total == total ? total : sum
            row &+= 1
        }
        column &+= 1
    }
}

/// The vector of the elements from `index` on, at any alignment.
@inline(__always)
private func load(_ elements: UnsafePointer<Double>, _ index: Int) -> DoubleVector {
    UnsafeRawPointer(elements + index).loadUnaligned(as: DoubleVector.self)
}

/// Stores a vector at the elements from `index` on, at any alignment.
@inline(__always)
private func store(_ vector: DoubleVector, _ elements: UnsafeMutablePointer<Double>, _ index: Int) {
    UnsafeMutableRawPointer(elements + index).storeBytes(of: vector, as: DoubleVector.self)
}
