import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// A model's output on its way back.
struct InferAnswer {
    let id: String?
    let layer: RegisteredLayer
    let normalized: NormalizedTensor

    /// Whether the elements are sent as bytes behind the JSON.
    let isBinary: Bool

    private var output: Tensor { self.normalized.output }

    /// Writes the answer and ends the measurement.
    func reply(_ clock: StageClock) throws(AllocationError) -> (HTTPReply, Timing) {
        var writer = JSONWriter()
        var timing: Timing?
        try writer.object { (writer) throws(AllocationError) in
            if let id = self.id {
                writer.member("id", id)
            }
            writer.member("model_name", self.layer.name.text)
            writer.member("model_version", self.layer.version.description)
            writer.name("outputs")
            try writer.array { (writer) throws(AllocationError) in try self.writeOutput(to: &writer) }
            // Last, because the measurement ends here.
            let measured = clock.finishEncoding()
            writer.name("parameters")
            writer.object { writer in
                if let sigma = self.normalized.sigma {
                    writer.name("sigma")
                    writer.number(sigma)
                }
                measured.write(to: &writer)
            }
            timing = measured
        }
        guard let timing else { preconditionFailure("an object has been written") }
        return (self.reply(writer, timing), timing)
    }

    private func writeOutput(to writer: inout JSONWriter) throws(AllocationError) {
        try writer.object { (writer) throws(AllocationError) in
            writer.member("name", ModelSignature.outputName)
            writer.member("datatype", self.output.dataType.rawValue)
            writer.name("shape")
            writer.shape(self.output.shape)
            // Triton's C++ client takes parameters for a promise of bytes: there are none where there are no bytes.
            if self.isBinary {
                writer.name("parameters")
                writer.object { writer in writer.member("binary_data_size", self.output.byteCount) }
            } else {
                writer.name("data")
                try writer.tensorData(self.output, nested: false)
            }
        }
    }

    private func reply(_ writer: JSONWriter, _ timing: Timing) -> HTTPReply {
        var fields: HTTPFields = [.serverTiming: timing.serverTiming]
        guard self.isBinary, self.output.byteCount > 0 else {
            fields[.contentType] = MediaType.json.rawValue
            let body = writer.finish().map(HTTPBodyPart.init)
            return HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: body)
        }
        fields[.contentType] = MediaType.binary.rawValue
        fields[.inferenceHeaderContentLength] = "\(writer.bytes.count)"
        let body: [HTTPBodyPart] = [.bytes(writer.bytes), .buffer(self.output.buffer, self.output.byteRange)]
        return HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: body)
    }
}
