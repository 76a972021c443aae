import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// `POST /normalize`: one tensor in, the normalized tensor out (API sections 2 to 4).
struct NormalizeEndpoint {
    let maximumJSONDepth: Int

    /// Up to these sizes of content the work takes a small fraction of a millisecond, hardly more than a change of
    /// threads may cost. A byte of JSON takes some thirty times as long as a byte of a blob.
    private static let inlineJSONBytes = 32 << 10
    private static let inlineBinaryBytes = 512 << 10

    func admit(_ head: HTTPRequest) throws(HTTPProblem) -> HTTPAdmission {
        let exchange = try NormalizeExchange(head)
        return .receive(
            bodyOffset: exchange.bodyOffset,
            inlineLimit: exchange.jsonByteCount == nil ? Self.inlineJSONBytes : Self.inlineBinaryBytes
        )
    }

    func respond(to message: HTTPRequestMessage) throws(HTTPProblem) -> HTTPReply {
        var clock = StageClock(message)
        let exchange = try NormalizeExchange(message.head)
        let (request, input, body) = try self.decode(message, jsonByteCount: exchange.jsonByteCount)
        let layer = try request.layer.layer(in: body, precision: input.dataType == .fp64 ? .fp64 : .fp32)
        clock.finishDecoding()
        let output: Tensor
        do throws(LayerError) {
            output = try layer.normalize(input, into: request.outputType(of: input))
        } catch {
            throw HTTPProblem(error)
        }
        clock.finishComputing()
        let answer = NormalizeAnswer(request: request, layer: type(of: layer).type, output: output)
        return answer.reply(as: exchange.responseType, clock)
    }

    private func decode(
        _ message: HTTPRequestMessage,
        jsonByteCount: Int?
    ) throws(HTTPProblem) -> (NormalizeRequest, input: Tensor, body: BinaryFraming) {
        do throws(TensorFormatError) {
            var body = try BinaryFraming(
                buffer: try message.bufferOrEmpty(),
                body: message.bodyRange,
                jsonByteCount: jsonByteCount
            )
            let request = try NormalizeRequest(body.json, maximumDepth: self.maximumJSONDepth)
            try body.assignBytes(to: request.tensors)
            return (request, try body.decode(request.input, default: .fp32), body)
        } catch {
            throw HTTPProblem(error)
        }
    }
}

extension HTTPRequestMessage {
    fileprivate func bufferOrEmpty() throws(TensorFormatError) -> AlignedBuffer {
        if let buffer { return buffer }
        do throws(AllocationError) {
            return try AlignedBuffer(capacity: 0)
        } catch {
            throw .outOfMemory(byteCount: 0)
        }
    }
}
