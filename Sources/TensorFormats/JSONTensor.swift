public import Tensors

/// A tensor as it stands in a JSON text, before its numbers are decoded.
public struct JSONTensor: Equatable, Sendable {
    /// Where the elements are.
    public enum Content: Equatable, Sendable {
        /// In the JSON text: the bytes of the array that holds them, brackets included. What is between the brackets
        /// has not been looked at yet.
        case text(Range<Int>)
        /// After the JSON text, as so many raw bytes.
        case binary(byteCount: Int)
    }

    /// The stated shape; nil where the nesting of the data tells it.
    public let shape: Shape?

    /// The stated data type; nil where it is left to the context.
    public let dataType: DataType?

    public let content: Content

    /// Whether the elements are given as arrays within arrays.
    public let isNested: Bool

    /// The way to the tensor; its text is made on demand only.
    let path: JSONPointer

    /// Whether it is an object with `data`, not a bare array.
    let isObject: Bool

    /// Where the tensor begins in the text, in bytes.
    public let offset: Int

    /// More than any tensor library has; each dimension costs memory, time, and room in error messages.
    public static let rankLimit = 32

    /// The JSON Pointer to the tensor, as `/layer/running_mean`.
    public var pointer: String { self.path.text }

    /// The JSON Pointer to the elements: that of the tensor, or of its `data`.
    var dataPointer: String { self.isObject ? self.pointer + "/data" : self.pointer }
}
