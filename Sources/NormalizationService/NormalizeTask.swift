import AlignedMemory
import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// A request to normalize, whatever form it came in, with everything decoded: what is left is to compute and to answer.
struct NormalizeTask {
    /// Echoed in the answer.
    var id: String?

    let requested: RequestedLayer
    let layer: any NormalizationLayer
    let input: Tensor

    /// What was asked for, else the input's type if it is a floating one, else FP32.
    let outputType: DataType

    /// Whether the data of a JSON answer is nested.
    var outputIsNested = false

    /// - Parameters:
    ///   - requested: the layer, of which `body` holds what is not decoded yet.
    ///   - outputType: the type of the answer's tensor, if it was asked for.
    init(
        _ requested: RequestedLayer,
        in body: BinaryFraming,
        input: Tensor,
        outputType: DataType?
    ) throws(HTTPProblem) {
        self.requested = requested
        self.layer = try requested.layer(in: body, for: input.dataType)
        self.input = input
        self.outputType = outputType ?? (input.dataType.isFloatingPoint ? input.dataType : .fp32)
    }

    /// Normalizes the input, whose elements are given up.
    func run(threadCount: Int) throws(HTTPProblem) -> NormalizedTensor {
        do throws(LayerError) {
            return try self.layer.normalize(self.input, into: self.outputType, threadCount: threadCount)
        } catch {
            throw HTTPProblem(error)
        }
    }
}

/// What a tensor stands in, and what may be in it: the same for requests and for files.
struct NormalizeSource {
    let buffer: AlignedBuffer

    /// Where in `buffer` the file or the elements stand.
    let range: Range<Int>

    /// How many elements each tensor may have.
    let elementLimit: Int

    /// The layers that are called by their names.
    let layers: LayerRepository

    /// The array of an `.npy` file.
    func npy(_ layer: LayerDocument, outputType: DataType?) throws(HTTPProblem) -> NormalizeTask {
        let requested = try layer.known(in: self.layers)
        let input = try HTTPProblem.wording { () throws(TensorFormatError) in
            try NPYFile.tensor(in: self.buffer, self.range, elementLimit: self.elementLimit)
        }
        return try NormalizeTask(requested, in: try self.layerBody(), input: input, outputType: outputType)
    }

    /// The tensor `input` of a safetensors file.
    ///
    /// - Parameter layer: a layer from elsewhere; by default that of the file.
    func safetensors(_ layer: LayerDocument? = nil, outputType: DataType? = nil) throws(HTTPProblem) -> NormalizeTask {
        let file = try HTTPProblem.wording { () throws(TensorFormatError) in
            try SafetensorsRequest(self.buffer, self.range, elementLimit: self.elementLimit)
        }
        let document = if let layer { layer } else { try file.layer() }
        let requested = try document.known(in: self.layers)
        let outputType = if let outputType { outputType } else { try file.outputType() }
        return try NormalizeTask(
            requested,
            in: try self.layerBody(),
            input: try file.input(),
            outputType: outputType
        )
    }

    /// The elements and nothing else, little-endian and row-major.
    func raw(
        _ description: RawTensorDescription,
        _ layer: LayerDocument,
        outputType: DataType?
    ) throws(HTTPProblem) -> NormalizeTask {
        let requested = try layer.known(in: self.layers)
        let input = try HTTPProblem.wording { () throws(TensorFormatError) in
            try BinaryFraming.tensor(
                description.dataType,
                description.shape,
                in: self.buffer,
                self.range,
                elementLimit: self.elementLimit
            )
        }
        return try NormalizeTask(requested, in: try self.layerBody(), input: input, outputType: outputType)
    }

    /// What the layer's tensors stand in; nothing where they are decoded already, or have texts of their own.
    private func layerBody() throws(HTTPProblem) -> BinaryFraming {
        try HTTPProblem.wording { () throws(TensorFormatError) in
            try BinaryFraming(
                buffer: self.buffer,
                body: self.range.lowerBound..<self.range.lowerBound,
                jsonByteCount: nil,
                elementLimit: self.elementLimit
            )
        }
    }
}
