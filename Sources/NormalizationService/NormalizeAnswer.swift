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
            writer.member("layer") { writer in
                writer.object { writer in writer.member("type", self.layer.name) }
            }
            writer.member("output") { writer in self.writeOutput(as: type, to: &writer) }
            // Last, because it ends here.
            let finished = clock.finishEncoding()
            writer.member("timing") { writer in writer.object { writer in finished.write(to: &writer) } }
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

    private func writeOutput(as type: MediaType, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("shape", self.output.shape.dimensions)
            writer.member("datatype", self.output.dataType.rawValue)
            switch type {
            case .json:
                writer.member("data", self.output, isNested: self.request.outputIsNested)
            case .binary:
                writer.member("parameters") { writer in
                    writer.object { writer in writer.member("binary_data_size", self.output.byteCount) }
                }
            }
        }
    }
}
