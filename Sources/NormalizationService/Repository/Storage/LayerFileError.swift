import Normalization
import TensorFormats

/// Why a file holds no layer.
enum LayerFileError: Error, Equatable {
    /// It cannot be opened or read.
    case system(FileError)
    /// It is a link, a directory, a pipe, …
    case notARegularFile
    /// It has become shorter while it was read.
    case endsEarly
    /// It is no safetensors file, or has a tensor of a type that tensors here do not have.
    case format(TensorFormatError)
    /// A tensor has more elements than the server takes.
    case tooManyElements(tensor: String, limit: Int)
    /// Its metadata has no `type`, or none that exists.
    case unknownType
    /// Its metadata has a value that is none, or a name that the layer's type does not know.
    case invalidMetadata(name: String)
    /// It has a tensor that the layer's type does not know.
    case unknownTensor(name: String)
    /// The layer's parameters are impossible.
    case layer(LayerError)
    /// There is no memory for it.
    case outOfMemory
}

extension LayerFileError: CustomStringConvertible {
    var description: String {
        switch self {
        case .system(let error): error.description
        case .notARegularFile: "it is not a regular file"
        case .endsEarly: "it ended while it was read"
        case .format(let error): error.description
        case .tooManyElements(let tensor, let limit): "\(tensor) has more than \(limit) elements"
        case .unknownType: "its metadata names no type of layer"
        case .invalidMetadata(let name): "its metadata has an impossible \(name)"
        case .unknownTensor(let name): "it has a tensor \(name), which is no parameter of its type"
        case .layer(let error): error.description
        case .outOfMemory: "there is no memory for it"
        }
    }
}
