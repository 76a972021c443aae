import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// A normalized tensor on its way back.
struct NormalizeAnswer {
    private let id: String?
    private let layer: RequestedLayer
    private let outputIsNested: Bool
    let normalized: NormalizedTensor

    init(_ task: NormalizeTask, _ normalized: NormalizedTensor) {
        self.id = task.id
        self.layer = task.requested
        self.outputIsNested = task.outputIsNested
        self.normalized = normalized
    }

    var output: Tensor { self.normalized.output }

    /// Writes the answer and ends the measurement.
    ///
    /// - Parameter isFramed: whether JSON stands before the bytes of a binary answer.
    func reply(as type: MediaType, isFramed: Bool, _ clock: StageClock) throws(AllocationError) -> HTTPReply {
        switch type {
        case .json: return try self.document(isBinary: false, clock)
        case .binary where isFramed: return try self.document(isBinary: true, clock)
        case .binary: return self.file([self.elements], as: type, clock.finishEncoding())
        case .npy: return self.file(self.npy, as: type, clock.finishEncoding())
        case .safetensors:
            // The timing is part of the file, and so it ends before that.
            let timing = clock.finishEncoding()
            return self.file(self.safetensors(timing: timing), as: type, timing)
        }
    }

    /// JSON with the data in it, or before it.
    private func document(isBinary: Bool, _ clock: StageClock) throws(AllocationError) -> HTTPReply {
        var writer = JSONWriter()
        var serverTiming: String?
        try writer.object { (writer) throws(AllocationError) in
            if let id = self.id {
                writer.member("id", id)
            }
            writer.name("layer")
            self.writeLayer(to: &writer)
            writer.name("output")
            if isBinary {
                writer.binaryTensor(self.output.dataType, shape: self.output.shape)
            } else {
                try writer.tensor(self.output, nested: self.outputIsNested)
            }
            // Last, because it ends here.
            let timing = clock.finishEncoding()
            serverTiming = timing.serverTiming
            writer.name("timing")
            writer.object { writer in timing.write(to: &writer) }
        }
        var fields: HTTPFields = [.contentType: (isBinary ? MediaType.binary : .json).rawValue]
        fields[.serverTiming] = serverTiming
        let body: [HTTPBodyPart]
        if isBinary {
            fields[.inferenceHeaderContentLength] = "\(writer.bytes.count)"
            body = [.bytes(writer.bytes), self.elements]
        } else {
            body = writer.finish().map(HTTPBodyPart.init)
        }
        return HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: body)
    }

    /// Writes what the answer says of the layer.
    func writeLayer(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("type", self.layer.type.name)
            if case .registered(let layer) = self.layer {
                writer.member("name", layer.name.text)
                writer.member("version", layer.version.description)
            }
            if let sigma = self.normalized.sigma {
                writer.name("sigma")
                writer.number(sigma)
            }
        }
    }
}

extension HTTPBodyPart {
    init(_ part: JSONWriter.Part) {
        self =
            switch part {
            case .bytes(let bytes): .bytes(bytes)
            case .buffer(let buffer, let range): .buffer(buffer, range)
            }
    }
}
