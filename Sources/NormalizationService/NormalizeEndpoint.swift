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
        let request = try self.decode(message, jsonByteCount: exchange.jsonByteCount)
        clock.finishDecoding()
        let output: Tensor
        do throws(LayerError) {
            output = try request.layer.normalize(request.input, into: request.outputType)
        } catch {
            throw HTTPProblem(error)
        }
        clock.finishComputing()
        return request.reply(with: output, as: exchange.responseType, clock)
    }

    /// Everything up to the point where the layer has all that it needs.
    private func decode(
        _ message: HTTPRequestMessage,
        jsonByteCount: Int?
    ) throws(HTTPProblem) -> DecodedRequest {
        do throws(TensorFormatError) {
            let body = try RequestBody(message, jsonByteCount: jsonByteCount)
            return try body.withJSON { json throws(TensorFormatError) in 
        } catch {
            throw HTTPProblem(error)
        }
    }
}
