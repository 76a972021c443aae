import HTTPCore
import Normalization
import TensorFormats
import Tensors

/// What a query says of a request whose body is nothing but a tensor (API section 3).
struct NormalizeQuery {
    let layer: LayerDocument

    /// The type of the answer's tensor, if it was asked for.
    let outputType: DataType?

    /// Reads all parameters: what is left over is the layer's.
    init(_ parameters: QueryParameters) throws(HTTPProblem) {
        var parameters = parameters
        self.outputType = try parameters.take("output_datatype").map {
            (name) throws(HTTPProblem) in try DataType(name, of: "output_datatype", pointer: "/output/datatype")
        }
        let type = parameters.take("type")
        let name = parameters.take("layer")
        switch (type, name) {
        case (let type?, nil):
            self.layer = try LayerDocument(typeName: type, parameters.items.map { ($0.name, $0.value) }, .query)
        case (nil, let name?):
            let reference = LayerReference(name: name, version: parameters.take("version"))
            if let other = parameters.items.first { throw QueryParameters.unknownParameter(other.name) }
            self.layer = .registered(reference)
        case (nil, nil):
            throw HTTPProblem(
                .missingMember,
                "the query has neither 'type', for a layer with its parameters, nor 'layer', for the name of a registered one",
                pointer: "/layer"
            )
        default:
            throw HTTPProblem(
                .invalidValue,
                "the query has both 'type' and 'layer'; it must have one of them",
                pointer: "/layer"
            )
        }
    }
}

/// What a query says of a tensor that is nothing but its bytes.
struct RawTensorDescription {
    let shape: Shape
    let dataType: DataType

    /// Takes `shape` and `datatype` out of the query.
    init(_ parameters: inout QueryParameters) throws(HTTPProblem) {
        guard let text = parameters.take("shape") else {
            throw HTTPProblem(.missingMember, "the query has no 'shape', such as shape=8,256", pointer: "/input/shape")
        }
        let dimensions = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
        var shape: [Int] = []
        for dimension in dimensions {
            guard let number = Int(decimalDigits: dimension) else {
                throw HTTPProblem(
                    .invalidShape,
                    "the query parameter shape must be integers with commas between them, none of them negative",
                    pointer: "/input/shape"
                )
            }
            shape.append(number)
        }
        guard shape.count <= JSONTensor.rankLimit else {
            throw HTTPProblem(
                .invalidShape,
                "the query parameter shape has \(shape.count) dimensions; at most \(JSONTensor.rankLimit) are possible",
                pointer: "/input/shape"
            )
        }
        do throws(ShapeError) {
            self.shape = try Shape(shape)
        } catch {
            throw HTTPProblem(TensorFormatError.invalidShape(error, pointer: "/input/shape", offset: 0))
        }
        self.dataType =
            try parameters.take("datatype").map {
                (name) throws(HTTPProblem) in try DataType(name, of: "datatype", pointer: "/input/datatype")
            } ?? .fp32
    }
}

extension DataType {
    /// The data type of this name; 422 where there is none.
    ///
    /// - Parameter parameter: what the name was given for.
    init(_ name: String, of parameter: String, pointer: String) throws(HTTPProblem) {
        guard let dataType = DataType.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) }) else {
            let known = DataType.allCases.map(\.rawValue).joined(separator: ", ")
            throw HTTPProblem(
                .unsupportedDataType,
                "\(parameter) is '\(name.asWord)'; it must be one of \(known)",
                pointer: pointer
            )
        }
        self = dataType
    }
}
