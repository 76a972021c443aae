public import Tensors

/// The value of a layer's parameter, whatever representation it came in.
public enum ParameterValue: Sendable {
    case tensor(Tensor)
    case real(Double)
    case integer(Int)
    case boolean(Bool)
    case text(String)
    case integers([Int])
    /// Stated to be nothing, where that is a value.
    case null
}
