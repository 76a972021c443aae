import AlignedMemory
import HTTPCore
import Normalization
import TensorFormats
import Tensors

extension LayerDefinition {
    /// Reads a layer object, which may say `datatype` besides (API section 6).
    init(json body: BinaryFraming, maximumDepth: Int) throws(HTTPProblem) {
        var dataType: DataType?
        let document: LayerDocument
        do throws(TensorFormatError) {
            var reader = try JSONReader(body.json, nestingLimit: maximumDepth)
            document = try LayerDocument(&reader) { (reader, name) throws(TensorFormatError) in
                guard name == "datatype" else { return false }
                dataType = try reader.readDataType()
                return true
            }
            try reader.finish()
        } catch {
            throw HTTPProblem(error)
        }
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
            if case .tensor(let tensor) = parameter.value, tensor.dataType == nil {
                untyped.insert(parameter.name)
            }
            values[parameter.name] = try Self.value(of: parameter.value, in: body)
        }
        self.init(type, dataType: dataType, values: values, untyped: untyped)
    }

    /// The value of a parameter, in memory that stays.
    private static func value(
        of value: LayerDocument.Value,
        in body: BinaryFraming
    ) throws(HTTPProblem) -> ParameterValue {
        let decoded: ParameterValue
        do throws(TensorFormatError) {
            decoded = try value.decoded(from: body, default: .fp64)
        } catch {
            throw HTTPProblem(error)
        }
        guard case .tensor(let tensor) = decoded else { return decoded }
        do throws(AllocationError) {
            return .tensor(try tensor.kept())
        } catch {
            throw HTTPProblem(.outOfMemory, "there is no memory for the layer")
        }
    }
}
