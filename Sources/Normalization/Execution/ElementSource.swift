import Tensors

/// The elements of a tensor as numbers to compute with: where they stand, or converted chunk by chunk.
struct ElementSource<Scalar: ComputationScalar> {
    /// How many elements a converted chunk has at most: 16 KiB, so that two fit into the first-level cache.
    static var convertedChunkLength: Int { 16384 / MemoryLayout<Scalar>.stride }

    private let tensor: Tensor
    private let base: UnsafeRawPointer
    private let convert: (@Sendable (UnsafeRawPointer, UnsafeMutablePointer<Scalar>, Int) -> Void)?
    private let scratch: Vector<Scalar>?
    private var convertedRange = 0..<0

    init(_ tensor: Tensor, kernels: Kernels<Scalar>) throws(LayerError) {
        self.tensor = tensor
        self.base = UnsafeRawPointer(tensor.buffer.baseAddress + tensor.byteOffset)
        self.convert = kernels.reading[tensor.dataType]
        precondition(self.convert != nil || tensor.dataType == Scalar.dataType, "every type can be read")
        self.scratch = self.convert == nil ? nil : try Vector(count: Self.convertedChunkLength)
    }

    /// How many elements `load` takes at once.
    var chunkLength: Int { self.convert == nil ? .max : Self.convertedChunkLength }

    /// Cuts a range into what `load` takes.
    func chunks(of range: Range<Int>) -> Chunks {
        Chunks(range, length: self.chunkLength)
    }

    /// The size of the whole tensor.
    var byteCount: Int { self.tensor.byteCount }

    /// Where an element stands.
    func address(of element: Int) -> UnsafeRawPointer {
        self.base + element * self.tensor.dataType.byteWidth
    }

    /// The elements of a chunk. Valid until the next one is loaded.
    mutating func load(_ range: Range<Int>) -> UnsafePointer<Scalar> {
        guard let convert, let scratch else {
            return self.base.assumingMemoryBound(to: Scalar.self) + range.lowerBound
        }
        // A row that fits into a chunk is converted once, not once per pass.
        if range != self.convertedRange {
            convert(self.base + range.lowerBound * self.tensor.dataType.byteWidth, scratch.pointer, range.count)
            self.convertedRange = range
        }
        return UnsafePointer(scratch.pointer)
    }
}

/// A range cut into pieces of at most some length.
struct Chunks: Sequence, IteratorProtocol {
    private var rest: Range<Int>
    private let length: Int

    init(_ range: Range<Int>, length: Int) {
        self.rest = range
        self.length = length
    }

    mutating func next() -> Range<Int>? {
        guard !self.rest.isEmpty else { return nil }
        let chunk = self.rest.prefix(self.length)
        self.rest = chunk.upperBound..<self.rest.upperBound
        return chunk
    }
}
