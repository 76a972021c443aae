import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// `POST /normalize`: one tensor in, the normalized tensor out (API sections 2 to 4).
struct NormalizeEndpoint {
    let maximumJSONDepth: Int

    /// How many elements each tensor may have.
    let maximumElementCount: Int

    /// How many threads may share one large tensor.
    let threadCount: Int

    let layers: LayerRepository

    func admit(_ head: HTTPRequest) throws(HTTPProblem) -> HTTPAdmission {
        let exchange = try NormalizeExchange(head)
        return .receive(bodyOffset: exchange.bodyOffset, inlineLimit: exchange.inlineLimit)
    }

    func normalize(_ message: HTTPRequestMessage, _ clock: inout StageClock) throws(HTTPProblem) -> HTTPReply {
        let exchange = try NormalizeExchange(message.head)
        var body: BinaryFraming
        do throws(TensorFormatError) {
            body = try BinaryFraming(
                buffer: message.bufferOrEmpty(),
                body: message.bodyRange,
                jsonByteCount: exchange.jsonByteCount,
                elementLimit: self.maximumElementCount
            )
        } catch {
            throw HTTPProblem(error)
        }
        do throws(HTTPProblem) {
            return try self.normalize(&body, as: exchange.responseType, &clock)
        } catch {
            throw error.unlessSyntaxIsWrong(in: body, maximumDepth: self.maximumJSONDepth)
        }
    }

    private func normalize(
        _ body: inout BinaryFraming,
        as responseType: MediaType,
        _ clock: inout StageClock
    ) throws(HTTPProblem) -> HTTPReply {
        let (request, requested, input) = try self.decode(&body)
        let layer = try requested.layer(in: body, for: input.dataType)
        clock.finishDecoding()
        let normalized: NormalizedTensor
        do throws(LayerError) {
            normalized = try layer.normalize(
                input,
                into: request.outputType(of: input),
                threadCount: self.threadCount
            )
        } catch {
            throw HTTPProblem(error)
        }
        clock.finishComputing()
        let answer = NormalizeAnswer(request: request, layer: requested, normalized: normalized)
        do throws(AllocationError) {
            return try answer.reply(as: responseType, clock)
        } catch {
            throw HTTPProblem(.outOfMemory, "there is no memory for the answer")
        }
    }

    private func decode(
        _ body: inout BinaryFraming
    ) throws(HTTPProblem) -> (NormalizeRequest, RequestedLayer, input: Tensor) {
        let request: NormalizeRequest
        do throws(TensorFormatError) {
            request = try NormalizeRequest(body.json, maximumDepth: self.maximumJSONDepth)
        } catch {
            throw HTTPProblem(error)
        }
        // The tensors of a layer that does not exist are not known, and so neither is their share of the body.
        let layer = try request.layer.known(in: self.layers)
        do throws(TensorFormatError) {
            try body.assignBytes(to: request.tensors)
            return (request, layer, try body.decode(request.input, default: .fp32))
        } catch {
            throw HTTPProblem(error)
        }
    }
}

extension HTTPProblem {
    /// The problem itself, or what is wrong with the syntax: what is not JSON at all is told so before anything that was
    /// found wrong with its meaning on the way.
    func unlessSyntaxIsWrong(in body: BinaryFraming, maximumDepth: Int) -> HTTPProblem {
        guard self.isAboutMeaning,
            let syntaxError = JSONReader.syntaxError(in: body.json, nestingLimit: maximumDepth)
        else { return self }
        return HTTPProblem(syntaxError)
    }

    /// Whether the request was taken to be JSON when it was refused.
    private var isAboutMeaning: Bool { self.status == .unprocessableContent || self.status == .notFound }
}

extension HTTPRequestMessage {
    func bufferOrEmpty() throws(TensorFormatError) -> AlignedBuffer {
        if let buffer { return buffer }
        do throws(AllocationError) {
            return try AlignedBuffer(capacity: 0)
        } catch {
            throw .outOfMemory(byteCount: error.byteCount)
        }
    }
}
