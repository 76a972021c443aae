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
        let task = try self.decode(message, exchange.request)
        clock.finishDecoding()
        let normalized = try task.run(threadCount: self.threadCount)
        clock.finishComputing()
        let answer = NormalizeAnswer(task, normalized)
        do throws(AllocationError) {
            return try answer.reply(as: exchange.responseType, isFramed: exchange.isAnswerFramed, clock)
        } catch {
            throw HTTPProblem(.outOfMemory, "there is no memory for the answer")
        }
    }

    /// What the content asks for.
    private func decode(
        _ message: HTTPRequestMessage,
        _ form: NormalizeExchange.RequestForm
    ) throws(HTTPProblem) -> NormalizeTask {
        let source = NormalizeSource(
            buffer: try HTTPProblem.wording(message.bufferOrEmpty),
            range: message.bodyRange,
            elementLimit: self.maximumElementCount,
            layers: self.layers
        )
        switch form {
        case .document(let jsonByteCount): return try self.decode(source, jsonByteCount: jsonByteCount)
        case .npy(let query): return try source.npy(query.layer, outputType: query.outputType)
        case .safetensors: return try source.safetensors()
        case .raw(let tensor, let query): return try source.raw(tensor, query.layer, outputType: query.outputType)
        }
    }

    private func decode(_ source: NormalizeSource, jsonByteCount: Int?) throws(HTTPProblem) -> NormalizeTask {
        var body = try HTTPProblem.wording { () throws(TensorFormatError) in
            try BinaryFraming(
                buffer: source.buffer,
                body: source.range,
                jsonByteCount: jsonByteCount,
                elementLimit: source.elementLimit
            )
        }
        do throws(HTTPProblem) {
            return try self.decode(&body)
        } catch {
            throw error.unlessSyntaxIsWrong(in: body, maximumDepth: self.maximumJSONDepth)
        }
    }

    private func decode(_ body: inout BinaryFraming) throws(HTTPProblem) -> NormalizeTask {
        let request: NormalizeRequest
        do throws(TensorFormatError) {
            request = try NormalizeRequest(body.json, maximumDepth: self.maximumJSONDepth)
        } catch {
            throw HTTPProblem(error)
        }
        // The tensors of a layer that does not exist are not known, and so neither is their share of the body.
        let layer = try request.layer.known(in: self.layers)
        let input: Tensor
        do throws(TensorFormatError) {
            try body.assignBytes(to: request.tensors)
            input = try body.decode(request.input, default: .fp32)
        } catch {
            throw HTTPProblem(error)
        }
        var task = try NormalizeTask(layer, in: body, input: input, outputType: request.output.dataType)
        task.id = request.id
        task.outputIsNested = request.outputIsNested
        return task
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
