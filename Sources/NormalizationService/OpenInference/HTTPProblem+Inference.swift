import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

extension HTTPProblem {
    /// The same with the status that the clients of the Open Inference Protocol know: as in Triton, whatever is wrong with
    /// a request that can be parsed is 400, too.
    var forInferenceClients: HTTPProblem {
        guard self.status == .unprocessableContent else { return self }
        return HTTPProblem(
            .badRequest,
            code: self.code,
            detail: self.detail,
            pointer: self.pointer,
            fields: self.fields,
            limit: self.limit
        )
    }

    /// What a client is told of an input that the model's layer does not take; as far as there is one, in the words of
    /// Triton.
    init(_ error: LayerError, of layer: RegisteredLayer, for shape: Shape, _ signature: ModelSignature) {
        let problem = HTTPProblem(error)
        switch error {
        case .outOfMemory: self = problem
        case .notConverged, .zeroSigma: self = HTTPProblem(.invalidParameter, problem.detail)
        default:
            self.init(
                .shapeMismatch,
                "unexpected shape for input '\(ModelSignature.inputName)' for model '\(layer.name)'. Expected "
                    + ModelSignature.description(of: signature.shape) + ", got "
                    + ModelSignature.description(of: shape.dimensions) + ": " + problem.detail,
                pointer: "/inputs/0/shape"
            )
        }
    }

    /// The bytes behind the JSON are not as many as its tensor has.
    init(declared: Int, available: Int, for layer: RegisteredLayer) {
        self.init(
            .invalidBinaryFraming,
            declared > available
                ? "unexpected size for input '\(ModelSignature.inputName)', expecting \(declared - available) additional "
                    + "bytes for model '\(layer.name)'"
                : "unexpected additional input data for model '\(layer.name)'"
        )
    }
}

extension InferRequest {
    /// The tensor of the model's input, once everything but its elements and its shape is known to be right.
    func tensor(for layer: RegisteredLayer) throws(HTTPProblem) -> JSONTensor {
        let (inputName, model) = (ModelSignature.inputName, "model '\(layer.name)'")
        guard let input, self.inputCount == 1 else {
            throw HTTPProblem(
                .invalidValue,
                "expected 1 inputs but got \(self.inputCount) inputs for \(model); it is called '\(inputName)'",
                pointer: "/inputs"
            )
        }
        guard input.name == inputName else {
            throw HTTPProblem(
                .invalidValue,
                "unexpected inference input '\(input.name)' for \(model); it is called '\(inputName)'",
                pointer: "/inputs/0/name"
            )
        }
        try self.outputs.check(for: model)
        guard input.dataType == layer.dataType.rawValue else {
            throw HTTPProblem(
                .unsupportedDataType,
                "inference input '\(inputName)' data-type is '\(input.dataType)', but \(model) expects "
                    + "'\(layer.dataType.rawValue)'",
                pointer: "/inputs/0/datatype"
            )
        }
        guard let tensor = input.tensor else {
            throw HTTPProblem(.notSupported, InferenceRoute.Feature.sharedMemory.rawValue)
        }
        return tensor
    }
}

extension InferRequest.OutputSelection {
    fileprivate func check(for model: String) throws(HTTPProblem) {
        let name = ModelSignature.outputName
        if let unknownName {
            throw HTTPProblem(
                .invalidValue,
                "unexpected inference output '\(unknownName)' for \(model); it is called '\(name)'",
                pointer: "/outputs"
            )
        }
        guard self.count <= 1 else {
            throw HTTPProblem(.invalidValue, "output '\(name)' is requested \(self.count) times", pointer: "/outputs")
        }
        guard !self.asksForClasses else {
            throw HTTPProblem(.notSupported, "\(model) does not classify: its output has no classes to choose from")
        }
        guard !self.usesSharedMemory else {
            throw HTTPProblem(.notSupported, InferenceRoute.Feature.sharedMemory.rawValue)
        }
    }
}
