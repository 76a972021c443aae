import AlignedMemory
import HTTPCore
import Normalization
import TensorFormats
import Tensors

extension LayerDefinition {
    /// Reads a layer object, which may say `datatype` besides (API section 6).
    init(json body: BinaryFraming, maximumDepth: Int) throws(HTTPProblem) {
        var dataType: DataType?
        let document = try HTTPProblem.wording { () throws(TensorFormatError) in
            var reader = try JSONReader(body.json, nestingLimit: maximumDepth)
            let document = try LayerDocument(&reader) { (reader, name) throws(TensorFormatError) in
                guard name == "datatype" else { return false }
                dataType = try reader.readDataType()
                return true
            }
            try reader.finish()
            return document
        }
        try self.init(document, in: body, dataType: dataType)
    }

    /// Reads a safetensors file: tensors by the names of the parameters, all else in the metadata, `datatype` included.
    init(safetensors body: BinaryFraming, _ file: SafetensorsRequest) throws(HTTPProblem) {
        let document = try file.layer(besides: [], [LayerFile.dataTypeName, LayerFile.untypedName])
        let dataType = try file.value(of: LayerFile.dataTypeName).map { (name) throws(HTTPProblem) in
            try DataType(name, of: LayerFile.dataTypeName, pointer: "/datatype")
        }
        try self.init(document, in: body, dataType: dataType, untyped: file.value(of: LayerFile.untypedName))
    }

    /// - Parameters:
    ///   - body: where the document's tensors stand.
    ///   - names: what the file of a registered layer says of tensors that came without a data type.
    private init(
        _ document: LayerDocument,
        in body: BinaryFraming,
        dataType: DataType?,
        untyped names: String? = nil
    ) throws(HTTPProblem) {
        guard dataType?.isFloatingPoint ?? true else {
            throw HTTPProblem(
                .unsupportedDataType,
                "the datatype of a layer is FP32, FP64, FP16 or BF16",
                pointer: "/datatype"
            )
        }
        if case .registered = document {
            throw HTTPProblem(
                .missingMember,
                "a layer is registered by its type and parameters, not by a name",
                pointer: ""
            )
        }
        guard case .inline(let type, let parameters) = try document.known(in: LayerRepository(), pointer: "") else {
            preconditionFailure("a reference was refused")
        }
        var values: [ParameterName: ParameterValue] = [:]
        var untyped: Set<ParameterName> = []
        for parameter in parameters {
            if parameter.value.isUntyped {
                untyped.insert(parameter.name)
            }
            values[parameter.name] = try Self.value(of: parameter.value, in: body)
        }
        if let names {
            guard let listed = try? LayerFile.names(names), listed.allSatisfy({ values[$0]?.isWideTensor ?? false })
            else {
                throw HTTPProblem(.invalidValue, "the metadata's untyped must be a list of the names of F64 tensors")
            }
            untyped.formUnion(listed)
        }
        self.init(type, dataType: dataType, values: values, untyped: untyped)
    }

    /// The value of a parameter, in memory that stays.
    private static func value(
        of value: LayerDocument.Value,
        in body: BinaryFraming
    ) throws(HTTPProblem) -> ParameterValue {
        let decoded = try HTTPProblem.wording { () throws(TensorFormatError) in
            try value.decoded(from: body, default: .fp64)
        }
        guard case .tensor(let tensor) = decoded else { return decoded }
        do throws(AllocationError) {
            return .tensor(try tensor.kept())
        } catch {
            throw HTTPProblem(.outOfMemory, "there is no memory for the layer")
        }
    }
}

extension LayerDocument.Value {
    /// Whether it is a tensor that states no data type.
    fileprivate var isUntyped: Bool {
        switch self {
        case .tensor(let tensor), .text(let tensor, _): tensor.dataType == nil
        case .held, .plain: false
        }
    }
}

extension ParameterValue {
    fileprivate var isWideTensor: Bool {
        if case .tensor(let tensor) = self { tensor.dataType == .fp64 } else { false }
    }
}
