import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// A normalized tensor on its way back.
struct NormalizeAnswer {
    let request: NormalizeRequest
    let layer: LayerType
    let output: Tensor

    /// Writes the answer and ends the measurement.
    func reply(as type: MediaType, _ clock: StageClock) -> HTTPReply {
        var writer = JSONWriter()
        var timing: Timing?
        writer.object { writer in
            if let id = self.request.id {
                writer.member("id", id)
            }
            writer.name("layer")
            writer.object { writer in writer.member("type", self.layer.name) }
            writer.name("output")
            switch type {
            case .json: writer.tensor(self.output, nested: self.request.outputIsNested)
            case .binary: writer.binaryTensor(self.output.dataType, shape: self.output.shape)
            }
            // Last, because it ends here.
            let finished = clock.finishEncoding()
            writer.name("timing")
            writer.object { writer in finished.write(to: &writer) }
            timing = finished
        }
        var fields: HTTPFields = [.contentType: type.rawValue]
        fields[.serverTiming] = timing?.serverTiming
        var body = [HTTPBodyPart.bytes(writer.bytes)]
        if type == .binary {
            fields[.inferenceHeaderContentLength] = "\(writer.bytes.count)"
            body.append(.buffer(self.output.buffer, self.output.byteRange))
        }
        return HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: body)
    }
}
