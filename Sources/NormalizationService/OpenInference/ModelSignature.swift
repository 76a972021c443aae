import Normalization
import Tensors

/// What the Open Inference Protocol says of a model's one input and one output, which are alike.
struct ModelSignature: Equatable {
    static let inputName = "input"
    static let outputName = "output"

    /// The input's dimensions, with −1 where any length will do.
    ///
    /// Of the ranks that a layer takes one is announced. Others work as well: a −1 stands for a length, and the protocol
    /// has no word for a number of dimensions.
    let shape: [Int]

    /// The most samples that may come at once; 0 where the first dimension does not count samples.
    let maximumBatchSize: Int

    /// - Parameter maximumElementCount: of a tensor. So many samples of one element each are possible.
    init(_ geometry: LayerGeometry, of type: LayerType, maximumElementCount: Int) {
        let shape = Self.shape(geometry, of: type)
        self.shape = shape
        let isBatched = shape.first == -1 && !Self.isWeight(type)
        // Where such a configuration is a protocol buffer, the number is an int32.
        self.maximumBatchSize = isBatched ? min(maximumElementCount, Int(Int32.max)) : 0
    }

    /// The shape without that of the batch, which the configuration leaves out.
    var sampleShape: [Int] { self.maximumBatchSize > 0 ? Array(self.shape.dropFirst()) : self.shape }

    private static func shape(_ geometry: LayerGeometry, of type: LayerType) -> [Int] {
        // (N, C, positions): what has fewer or more spatial dimensions can be written so without moving an element.
        if type[.dataFormat] != nil { return geometry.shape(rank: 3) }
        let shape = geometry.shape(rank: max(2, geometry.ranks.lowerBound))
        let isWithoutBatch = shape.first != -1 && !self.isWeight(type) && !geometry.hasLength(ofFirstAxis: 0)
        return isWithoutBatch && shape.count < geometry.ranks.upperBound ? geometry.shape(rank: shape.count + 1) : shape
    }

    /// Whether the input is a weight, which is no batch of anything.
    private static func isWeight(_ type: LayerType) -> Bool {
        [WeightNorm.type.name, SpectralNorm.type.name, WeightStandardization.type.name].contains(type.name)
    }
}

extension ModelSignature {
    /// The shape of a sample of so many bytes as a batch of one; `nil` where it does not follow from their number.
    func shape(byteCount: Int, of dataType: DataType) -> Shape? {
        var dimensions = self.shape
        if self.maximumBatchSize > 0 {
            dimensions[0] = 1
        }
        let free = dimensions.indices.filter { dimensions[$0] == -1 }
        guard free.count <= 1 else { return nil }
        if let axis = free.first {
            dimensions[axis] = 1
            guard let one = try? Shape(dimensions), one.elementCount > 0 else { return nil }
            let (unit, overflow) = one.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
            guard !overflow, byteCount % unit == 0 else { return nil }
            dimensions[axis] = byteCount / unit
        }
        guard let shape = try? Shape(dimensions) else { return nil }
        let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteWidth)
        return !overflow && needed == byteCount ? shape : nil
    }

    /// As messages show it: `[-1,8]`.
    static func description(of dimensions: [Int]) -> String {
        "[" + dimensions.map(String.init).joined(separator: ",") + "]"
    }
}

extension LayerGeometry {
    /// How many samples an input of this shape holds: 1 where its first dimension is part of a sample.
    func batchSize(of shape: Shape) -> Int {
        guard shape.rank > 1 else { return 1 }
        return self.hasLength(ofFirstAxis: shape.rank) ? 1 : shape[0]
    }

    /// Whether the first of `rank` axes has a length of its own; of a rank of 0, the first of any.
    fileprivate func hasLength(ofFirstAxis rank: Int) -> Bool {
        self.lengths[0] != nil || rank > 0 && self.lengths[-rank] != nil
    }
}
