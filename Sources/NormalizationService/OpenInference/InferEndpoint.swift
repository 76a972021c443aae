import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// `POST /v2/models/{model}/infer`: the model's input in, its output out (Open Inference Protocol).
struct InferEndpoint {
    let maximumJSONDepth: Int

    /// How many elements a tensor may have.
    let maximumElementCount: Int

    /// How many threads may share one large tensor.
    let threadCount: Int

    /// What a request asks for.
    private struct Work {
        var id: String?
        let input: Tensor
        let outputIsBinary: Bool
    }

    func infer(
        _ message: HTTPRequestMessage,
        with layer: RegisteredLayer,
        _ clock: inout StageClock
    ) throws(HTTPProblem) -> HTTPReply {
        do throws(HTTPProblem) {
            let work = try self.work(message, for: layer)
            clock.finishDecoding()
            let normalized = try self.normalize(work.input, with: layer)
            clock.finishComputing()
            let answer = InferAnswer(
                id: work.id,
                layer: layer,
                normalized: normalized,
                isBinary: work.outputIsBinary
            )
            let (reply, timing) = try self.reply(answer, clock)
            layer.statistics.countSuccess(timing, sampleCount: layer.geometry.batchSize(of: work.input.shape))
            return reply
        } catch {
            layer.statistics.countFailure(clock.finishEncoding())
            throw error
        }
    }

    private func normalize(_ input: Tensor, with layer: RegisteredLayer) throws(HTTPProblem) -> NormalizedTensor {
        do throws(LayerError) {
            return try layer.layer(for: input.dataType).normalize(
                input,
                into: input.dataType,
                threadCount: self.threadCount
            )
        } catch {
            throw HTTPProblem(error, of: layer, for: input.shape, self.signature(of: layer))
        }
    }

    private func reply(_ answer: InferAnswer, _ clock: StageClock) throws(HTTPProblem) -> (HTTPReply, Timing) {
        do throws(AllocationError) {
            return try answer.reply(clock)
        } catch {
            throw HTTPProblem(.outOfMemory, "there is no memory for the answer")
        }
    }

    func signature(of layer: RegisteredLayer) -> ModelSignature {
        ModelSignature(layer.geometry, of: layer.type, maximumElementCount: self.maximumElementCount)
    }
}

extension InferEndpoint {
    private func work(_ message: HTTPRequestMessage, for layer: RegisteredLayer) throws(HTTPProblem) -> Work {
        let exchange = try InferExchange(message.head)
        guard exchange.jsonByteCount != 0 else {
            return Work(input: try self.rawInput(message, for: layer), outputIsBinary: true)
        }
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
            return try self.work(&body, blobByteCount: message.bodyRange.count - body.json.count, for: layer)
        } catch {
            throw error.unlessSyntaxIsWrong(in: body, maximumDepth: self.maximumJSONDepth)
        }
    }

    private func work(
        _ body: inout BinaryFraming,
        blobByteCount: Int,
        for layer: RegisteredLayer
    ) throws(HTTPProblem) -> Work {
        let request: InferRequest
        do throws(TensorFormatError) {
            request = try InferRequest(body.json, maximumDepth: self.maximumJSONDepth)
        } catch {
            throw HTTPProblem(error)
        }
        let tensor = try request.tensor(for: layer)
        do throws(TensorFormatError) {
            try body.assignBytes(to: [tensor])
            return Work(
                id: request.id,
                input: try body.decode(tensor, default: layer.dataType),
                outputIsBinary: request.outputIsBinary
            )
        } catch .binarySizesDoNotFillBody(let declared?, let available) {
            throw HTTPProblem(declared: declared, available: available, for: layer)
        } catch {
            throw HTTPProblem(error)
        }
    }

    /// The input of a request that is nothing but the bytes of one sample.
    private func rawInput(_ message: HTTPRequestMessage, for layer: RegisteredLayer) throws(HTTPProblem) -> Tensor {
        let (signature, range) = (self.signature(of: layer), message.bodyRange)
        guard let shape = signature.shape(byteCount: range.count, of: layer.dataType) else {
            throw HTTPProblem(
                .invalidBinaryFraming,
                "the shape of raw input '\(ModelSignature.inputName)' does not follow from its \(range.count) bytes: "
                    + "model '\(layer.name)' takes one sample of \(layer.dataType.rawValue) and shape "
                    + ModelSignature.description(of: signature.sampleShape)
            )
        }
        guard shape.elementCount <= self.maximumElementCount else {
            throw HTTPProblem(
                .tooManyElements,
                "the input has \(shape.elementCount) elements; at most \(self.maximumElementCount) are allowed",
                limit: .elements
            )
        }
        do throws(TensorFormatError) {
            // Where the body begins is aligned: there is no JSON before the bytes (InferExchange).
            return Tensor(layer.dataType, shape: shape, in: try message.bufferOrEmpty(), at: range.lowerBound)
        } catch {
            throw HTTPProblem(error)
        }
    }
}
