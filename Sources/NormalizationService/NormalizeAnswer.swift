import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// A normalized tensor on its way back.
struct NormalizeAnswer {
    let request: NormalizeRequest
    let layer: RequestedLayer
    let normalized: NormalizedTensor

    private var output: Tensor { self.normalized.output }

    /// Writes the answer and ends the measurement.
    func reply(as type: MediaType, _ clock: StageClock) throws(AllocationError) -> HTTPReply {
        var writer = JSONWriter()
        var serverTiming: String?
        try writer.object { (writer) throws(AllocationError) in
            if let id = self.request.id {
                writer.member("id", id)
            }
            writer.name("layer")
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
            writer.name("output")
            switch type {
            case .json: try writer.tensor(self.output, nested: self.request.outputIsNested)
            case .binary: writer.binaryTensor(self.output.dataType, shape: self.output.shape)
            }
            // Last, because it ends here.
            let timing = clock.finishEncoding()
            serverTiming = timing.serverTiming
            writer.name("timing")
            writer.object { writer in timing.write(to: &writer) }
        }
        var fields: HTTPFields = [.contentType: type.rawValue]
        fields[.serverTiming] = serverTiming
        let body: [HTTPBodyPart]
        switch type {
        case .json:
            body = writer.finish().map(HTTPBodyPart.init)
        case .binary:
            fields[.inferenceHeaderContentLength] = "\(writer.bytes.count)"
            body = [.bytes(writer.bytes), .buffer(self.output.buffer, self.output.byteRange)]
        }
        return HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: body)
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
