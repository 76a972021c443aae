import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

extension NormalizeAnswer {
    /// The output as an `.npy` file. BF16 is written as numpy writes that of ml_dtypes.
    var npy: [HTTPBodyPart] {
        [.bytes(NPYFile.header(self.output.dataType, self.output.shape)), self.elements]
    }

    /// The output as the only tensor of a safetensors file, with the layer and the timing in the metadata, as JSON.
    func safetensors(timing: Timing?) -> [HTTPBodyPart] {
        var metadata = [(name: "layer", value: Self.json { self.writeLayer(to: &$0) })]
        if let timing {
            let text = Self.json { writer in writer.object { writer in timing.write(to: &writer) } }
            metadata.append((name: "timing", value: text))
        }
        let file = SafetensorsWriter([(name: "output", tensor: self.output)], metadata: metadata)
        return [.bytes(file.header), self.elements]
    }

    /// The output's bytes and nothing else.
    var elements: HTTPBodyPart { .buffer(self.output.buffer, self.output.byteRange) }

    /// An answer in a form that has no place of its own for the timing, or for all that is to be known of the output.
    func file(_ body: [HTTPBodyPart], as type: MediaType, _ timing: Timing) -> HTTPReply {
        var fields: HTTPFields = [.contentType: type.rawValue, .serverTiming: timing.serverTiming]
        if type == .binary {
            fields[.normserveShape] = self.output.shape.dimensions.map(String.init).joined(separator: ",")
            fields[.normserveDataType] = self.output.dataType.rawValue
        }
        if type != .safetensors, let sigma = self.normalized.sigma {
            fields[.normserveSigma] = Self.json { $0.number(sigma) }
        }
        return HTTPReply(head: HTTPResponse(status: .ok, headerFields: fields), body: body)
    }

    private static func json(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(capacity: 256)
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
