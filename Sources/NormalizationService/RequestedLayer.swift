import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// The layer that a request asks for, once it is known that there is such a layer.
enum RequestedLayer {
    /// A type with its parameters, whose tensors are not decoded yet.
    case inline(LayerType, [(name: ParameterName, value: LayerDocument.Value)])
    case registered(RegisteredLayer)

    var type: LayerType {
        switch self {
        case .inline(let type, _): type
        case .registered(let layer): layer.type
        }
    }

    /// Makes the layer, whose tensors stand in `body`, for an input of some type; or takes the one that is there.
    func layer(in body: BinaryFraming, for input: DataType) throws(HTTPProblem) -> any NormalizationLayer {
        switch self {
        case .registered(let layer): layer.layer(for: input)
        case .inline(let type, let parameters): try Self.make(type, parameters, in: body, for: input)
        }
    }

    private static func make(
        _ type: LayerType,
        _ parameters: [(name: ParameterName, value: LayerDocument.Value)],
        in body: BinaryFraming,
        for input: DataType
    ) throws(HTTPProblem) -> any NormalizationLayer {
        // Parameters that state no type are of the precision of the computation.
        let precision: DataType = input == .fp64 ? .fp64 : .fp32
        var values: [ParameterName: ParameterValue] = [:]
        do throws(TensorFormatError) {
            for parameter in parameters {
                values[parameter.name] = try parameter.value.decoded(from: body, default: precision)
            }
        } catch {
            throw HTTPProblem(error)
        }
        do throws(LayerError) {
            return try type.makeLayer(LayerParameters(values))
        } catch {
            throw HTTPProblem(error)
        }
    }
}

extension LayerDocument {
    /// The layer that is meant; 404 or 422 if there is none such.
    ///
    /// - Parameter pointer: where the document stands in the request.
    func known(in layers: LayerRepository, pointer: String = "/layer") throws(HTTPProblem) -> RequestedLayer {
        switch self {
        case .inline(let type, let parameters): return .inline(type, parameters)
        case .registered(let reference): return .registered(try layers.layer(for: reference))
        case .unknownType(let name):
            let known = LayerType.all.map(\.name).joined(separator: ", ")
            throw HTTPProblem(
                .unknownLayerType,
                "the layer type is '\(name)'; it must be one of \(known)",
                pointer: "\(pointer)/type"
            )
        }
    }
}

extension LayerDocument.Value {
    /// The parameter's value; a tensor stands in `body`, of its stated type or else of `defaultType`.
    func decoded(
        from body: BinaryFraming,
        default defaultType: DataType
    ) throws(TensorFormatError) -> ParameterValue {
        switch self {
        case .plain(let value): value
        case .tensor(let tensor): .tensor(try body.decode(tensor, default: defaultType))
        case .text(let tensor, let text): .tensor(try tensor.decode(text, default: defaultType, body.elementLimit))
        case .held(let tensor): .tensor(tensor)
        }
    }
}

extension JSONTensor {
    /// The tensor, from the text that it was read from.
    fileprivate func decode(
        _ text: [UInt8],
        default defaultType: DataType,
        _ elementLimit: Int
    ) throws(TensorFormatError) -> Tensor {
        try text.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
            try self.decode(from: UnsafeRawBufferPointer(bytes), default: defaultType, elementLimit: elementLimit)
        }
    }
}
