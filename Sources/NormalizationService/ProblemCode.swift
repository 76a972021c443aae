import HTTPCore
import HTTPTypes

/// The refusals of the service; `openapi.yaml` lists them beside the server's own, and a test compares.
enum ProblemCode: String, CaseIterable {
    case invalidJSON = "invalid_json"
    case invalidBinaryFraming = "invalid_binary_framing"
    case invalidNPY = "invalid_npy"
    case invalidSafetensors = "invalid_safetensors"
    case invalidQuery = "invalid_query"
    case unauthorized = "unauthorized"
    case forbidden = "forbidden"
    case notFound = "not_found"
    case unknownLayer = "unknown_layer"
    /// The same for a client of the Open Inference Protocol, which knows another status.
    case unknownModel = "unknown_model"
    case methodNotAllowed = "method_not_allowed"
    case readOnlyLayer = "read_only_layer"
    case notAcceptable = "not_acceptable"
    case unsupportedMediaType = "unsupported_media_type"
    case unknownMember = "unknown_member"
    case missingMember = "missing_member"
    case wrongType = "wrong_type"
    case invalidValue = "invalid_value"
    case unsupportedDataType = "unsupported_datatype"
    case invalidShape = "invalid_shape"
    case tooManyElements = "too_many_elements"
    case invalidData = "invalid_data"
    case unknownLayerType = "unknown_layer_type"
    case missingParameter = "missing_parameter"
    case invalidParameter = "invalid_parameter"
    case shapeMismatch = "shape_mismatch"
    /// Part of the Open Inference Protocol, but not of what is here.
    case notSupported = "not_supported"
    case modelNotReady = "model_not_ready"
    case storageFailed = "storage_failed"
    case storageFull = "storage_full"
    /// The server says the same of content for which it has no room.
    case outOfMemory = "overloaded"

    var status: HTTPResponse.Status {
        switch self {
        case .invalidJSON, .invalidBinaryFraming, .invalidNPY, .invalidSafetensors, .invalidQuery, .unknownModel:
            .badRequest
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound, .unknownLayer: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .readOnlyLayer: .conflict
        case .notAcceptable: .notAcceptable
        case .unsupportedMediaType: .unsupportedMediaType
        case .unknownMember, .missingMember, .wrongType, .invalidValue, .unsupportedDataType, .invalidShape,
            .tooManyElements, .invalidData, .unknownLayerType, .missingParameter, .invalidParameter, .shapeMismatch:
            .unprocessableContent
        case .notSupported: .notImplemented
        case .storageFailed: .internalServerError
        case .storageFull: .insufficientStorage
        case .modelNotReady, .outOfMemory: .serviceUnavailable
        }
    }
}

extension HTTPResponse.Status {
    /// RFC 4918 §11.5.
    fileprivate static let insufficientStorage = Self(code: 507, reasonPhrase: "Insufficient Storage")
}

extension HTTPProblem {
    init(
        _ code: ProblemCode,
        _ detail: String,
        pointer: String? = nil,
        fields: HTTPFields = [:],
        limit: Limit? = nil
    ) {
        var fields = fields
        if code.status == .serviceUnavailable {
            fields[.retryAfter] = "1"
        }
        self.init(
            code.status,
            code: code.rawValue,
            detail: detail,
            pointer: pointer,
            fields: fields,
            limit: code == .outOfMemory ? .inFlightBytes : limit
        )
    }
}
