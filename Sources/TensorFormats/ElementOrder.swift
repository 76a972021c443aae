import AlignedMemory
import Tensors

/// Puts elements, and the bytes within them, into the order in which tensors here have them.
enum ElementOrder {
    /// Turns the bytes of each element around, in place.
    static func swapBytes(of tensor: Tensor) {
        switch tensor.dataType.byteWidth {
        case 2: Self.swapBytes(tensor.elements(as: UInt16.self))
        case 4: Self.swapBytes(tensor.elements(as: UInt32.self))
        case 8: Self.swapBytes(tensor.elements(as: UInt64.self))
        default: break
        }
    }

    private static func swapBytes<Element: FixedWidthInteger>(_ elements: UnsafeMutableBufferPointer<Element>) {
        for index in elements.indices {
            elements[index] = elements[index].byteSwapped
        }
    }

    /// The same tensor, row-major, of one whose first axis is the contiguous one: a copy, unless both orders are the same.
    static func rowMajor(_ tensor: Tensor) throws(TensorFormatError) -> Tensor {
        // Axes of length 1 say nothing about the order.
        let dimensions = tensor.shape.dimensions.filter { $0 != 1 }
        guard dimensions.count > 1, tensor.shape.elementCount > 0 else { return tensor }
        let copy = try JSONTensor.allocate(tensor.dataType, tensor.shape)
        switch tensor.dataType.byteWidth {
        case 1: Self.transpose(tensor, into: copy, dimensions, as: UInt8.self)
        case 2: Self.transpose(tensor, into: copy, dimensions, as: UInt16.self)
        case 4: Self.transpose(tensor, into: copy, dimensions, as: UInt32.self)
        default: Self.transpose(tensor, into: copy, dimensions, as: UInt64.self)
        }
        return copy
    }

    /// As many elements on a side have the squares in which elements are copied: few enough for the first-level cache.
    private static let tileSide = 32

    /// Copies from the order in which the first axis is contiguous to that in which the last one is; there are two at
    /// least, and none is empty.
    private static func transpose<Element: BitwiseCopyable>(
        _ source: Tensor,
        into target: Tensor,
        _ dimensions: [Int],
        as type: Element.Type
    ) {
        let from = source.elements(as: type)
        let to = target.elements(as: type)
        let count = source.shape.elementCount
        let (first, last) = (dimensions[0], dimensions[dimensions.count - 1])
        // From one index to the next on the first axis of the target, and on the last of the source.
        let (targetStride, sourceStride) = (count / first, count / last)
        var middle = MiddleAxes(dimensions)
        repeat {
            for firstTile in stride(from: 0, to: first, by: Self.tileSide) {
                for lastTile in stride(from: 0, to: last, by: Self.tileSide) {
                    for index in firstTile..<min(firstTile + Self.tileSide, first) {
                        for lastIndex in lastTile..<min(lastTile + Self.tileSide, last) {
                            to[middle.target + index * targetStride + lastIndex] =
                                from[middle.source + index + lastIndex * sourceStride]
                        }
                    }
                }
            }
        } while middle.advance()
    }
}

/// The indices on all axes between the first and the last, and where their elements stand in both orders.
private struct MiddleAxes {
    private(set) var source = 0
    private(set) var target = 0
    private var axes: [(length: Int, sourceStride: Int, targetStride: Int, index: Int)] = []

    init(_ dimensions: [Int]) {
        var sourceStride = dimensions[0]
        var targetStride = dimensions.dropFirst().reduce(1, *)
        for length in dimensions.dropFirst().dropLast() {
            targetStride /= length
            self.axes.append((length, sourceStride, targetStride, 0))
            sourceStride *= length
        }
    }

    /// Goes on to the next indices; false where there are none.
    mutating func advance() -> Bool {
        for axis in self.axes.indices.reversed() {
            let (length, sourceStride, targetStride, index) = self.axes[axis]
            if index + 1 < length {
                self.axes[axis].index += 1
                self.source += sourceStride
                self.target += targetStride
                return true
            }
            self.axes[axis].index = 0
            self.source -= index * sourceStride
            self.target -= index * targetStride
        }
        return false
    }
}
