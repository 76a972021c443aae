import TensorFormats
import Tensors
import Testing

/// Reads `text` with `body` and makes sure that nothing is left.
func read<Value>(
    _ text: String,
    nestingLimit: Int = 64,
    _ body: (inout JSONReader) throws(TensorFormatError) -> Value
) throws(TensorFormatError) -> Value {
    try read(Array(text.utf8), nestingLimit: nestingLimit, body)
}

func read<Value>(
    _ text: [UInt8],
    nestingLimit: Int = 64,
    _ body: (inout JSONReader) throws(TensorFormatError) -> Value
) throws(TensorFormatError) -> Value {
    // A copy of exactly the text's size lets the address sanitizer see a read past its end.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: text)
    var reader = try JSONReader(UnsafeRawBufferPointer(copy), nestingLimit: nestingLimit)
    let value = try body(&reader)
    try reader.finish()
    return value
}

/// Reads the tensor in `text` and decodes it.
func decode(_ text: String, as dataType: DataType = .fp32) throws(TensorFormatError) -> Tensor {
    try decode(Array(text.utf8), as: dataType)
}

func decode(_ text: [UInt8], as dataType: DataType = .fp32) throws(TensorFormatError) -> Tensor {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: text)
    let bytes = UnsafeRawBufferPointer(copy)
    var reader = try JSONReader(bytes)
    let tensor = try reader.readTensor()
    try reader.finish()
    return try tensor.decode(from: bytes, default: dataType)
}

extension Tensor {
    /// The elements' bytes, copied while there are any.
    var bits: [UInt8] { withExtendedLifetime(self.buffer) { Array(self.bytes) } }

    func values<Element: BitwiseCopyable>(_ type: Element.Type) -> [Element] {
        withExtendedLifetime(self.buffer) { Array(self.elements(as: type)) }
    }
}

/// A tensor with these elements.
func tensor<Element: BitwiseCopyable>(_ dataType: DataType, _ dimensions: [Int], _ elements: [Element]) throws -> Tensor
{
    let tensor = try Tensor(uninitialized: dataType, shape: Shape(dimensions))
    _ = tensor.elements(as: Element.self).update(fromContentsOf: elements)
    return tensor
}

/// The error that `body` throws.
func error(_ body: () throws(TensorFormatError) -> Void) -> TensorFormatError? {
    do throws(TensorFormatError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The error of reading and decoding the tensor in `text`.
func decodingError(_ text: String, as dataType: DataType = .fp32) -> TensorFormatError? {
    error { () throws(TensorFormatError) in _ = try decode(text, as: dataType) }
}

/// What `body` writes.
func written(_ body: (inout JSONWriter) throws -> Void) rethrows -> String {
    var writer = JSONWriter()
    try body(&writer)
    return String(decoding: bytes(of: writer.finish()), as: UTF8.self)
}

func bytes(of parts: [JSONWriter.Part]) -> [UInt8] {
    parts.flatMap { part in
        switch part {
        case .bytes(let bytes): bytes
        case .buffer(let buffer, let range): withExtendedLifetime(buffer) { Array(buffer[range]) }
        }
    }
}

extension TensorFormatError {
    /// Whether the text is no JSON at all.
    var isSyntaxError: Bool {
        switch self {
        case .unexpectedEnd, .unexpectedByte, .trailingBytes, .malformedNumber, .invalidEscape, .unpairedSurrogate,
            .controlCharacter, .invalidUTF8, .nestedTooDeeply:
            true
        default: false
        }
    }
}
