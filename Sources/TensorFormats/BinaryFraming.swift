public import AlignedMemory
public import Tensors

/// A request body: a JSON text, and after it the raw bytes of the tensors that are binary (Open Inference Protocol,
/// binary tensor data extension).
///
/// Read the JSON text first, then give all of its tensors to `assignBytes`, then decode each of them.
public struct BinaryFraming: Sendable {
    private let buffer: AlignedBuffer
    private let jsonRange: Range<Int>
    private let binaryRange: Range<Int>
    private let isFramed: Bool

    /// How many elements each of the tensors may have.
    public let elementLimit: Int

    /// Where the bytes of the binary tensors stand in `buffer`, by the tensors' offsets in the text.
    private var byteRanges: [Int: Range<Int>] = [:]

    /// - Parameters:
    ///   - body: where the body stands in `buffer`.
    ///   - jsonByteCount: `Inference-Header-Content-Length`; nil for a body that is JSON as a whole.
    ///   - elementLimit: how many elements each of the tensors may have.
    public init(
        buffer: AlignedBuffer,
        body: Range<Int>,
        jsonByteCount: Int?,
        elementLimit: Int = .max
    ) throws(TensorFormatError) {
        let length = jsonByteCount ?? body.count
        guard 0...body.count ~= length else {
            throw .jsonLargerThanBody(jsonByteCount: length, bodyByteCount: body.count)
        }
        self.buffer = buffer
        self.jsonRange = body.lowerBound..<body.lowerBound + length
        self.binaryRange = body.lowerBound + length..<body.upperBound
        self.isFramed = jsonByteCount != nil
        self.elementLimit = elementLimit
    }

    /// The JSON text. Valid while the buffer is kept alive.
    public var json: UnsafeRawBufferPointer { UnsafeRawBufferPointer(self.buffer[self.jsonRange]) }

    /// Gives each binary tensor its bytes, in the order in which `tensors` stand in the text, and makes sure that no
    /// bytes are left.
    public mutating func assignBytes(to tensors: [JSONTensor]) throws(TensorFormatError) {
        var end = self.binaryRange.lowerBound
        var total: Int? = 0
        for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
            guard case .binary(let byteCount) = tensor.content else { continue }
            guard self.isFramed else { throw .binaryWithoutFraming(pointer: tensor.pointer, offset: tensor.offset) }
            total = total.flatMap {
                let (sum, overflow) = $0.addingReportingOverflow(byteCount)
                return overflow ? nil : sum
            }
            if let total, total <= self.binaryRange.count {
                self.byteRanges[tensor.offset] = end..<end + byteCount
                end += byteCount
            }
        }
        guard total == self.binaryRange.count else {
            throw .binarySizesDoNotFillBody(declared: total, available: self.binaryRange.count)
        }
    }

    /// The tensor that `tensor` describes, of its stated data type or else of `defaultType`.
    ///
    /// One whose numbers are text is decoded into new memory. A binary one is a view of the body if its elements
    /// happen to be aligned there; else it is copied.
    public func decode(
        _ tensor: JSONTensor,
        default defaultType: DataType
    ) throws(TensorFormatError) -> Tensor {
        guard case .binary(let byteCount) = tensor.content else {
            return try tensor.decode(from: self.json, default: defaultType, elementLimit: self.elementLimit)
        }
        guard self.isFramed else { throw .binaryWithoutFraming(pointer: tensor.pointer, offset: tensor.offset) }
        guard let range = self.byteRanges[tensor.offset] else {
            preconditionFailure("the bytes are assigned before they are decoded")
        }
        guard let shape = tensor.shape else {
            throw .binaryWithoutShape(pointer: tensor.pointer, offset: tensor.offset)
        }
        try tensor.checkStatedElementCount(limit: self.elementLimit)
        let dataType = tensor.dataType ?? defaultType
        let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
        guard !overflow, needed == byteCount else {
            throw .binarySize(
                byteCount,
                needed: overflow ? nil : needed,
                dataType: dataType,
                shape: shape,
                pointer: tensor.pointer,
                offset: tensor.offset
            )
        }
        let bytes = self.buffer[range]
        if dataType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
            throw .invalidBooleanByte(index: index, pointer: tensor.pointer, offset: tensor.offset)
        }
        if range.lowerBound % dataType.byteWidth == 0 {
            return Tensor(dataType, shape: shape, in: self.buffer, at: range.lowerBound)
        }
        let copy = try JSONTensor.allocate(dataType, shape)
        copy.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
        return copy
    }
}
