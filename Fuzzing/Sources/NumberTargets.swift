import Foundation
import Tensors

@testable import TensorFormats

extension FuzzTarget {
    /// One number in JSON, held against the C library, which rounds correctly.
    static let decimals = FuzzTarget(name: "decimals") { input in
        let text = [UInt8(ascii: "[")] + input + [UInt8(ascii: "]")]
        guard let double: Double = Self.number(in: text, .fp64), !double.isNaN,
            let float: Float = Self.number(in: text, .fp32),
            let half: Float16 = Self.number(in: text, .fp16), let brain: BFloat16 = Self.number(in: text, .bf16)
        else { return }
        let word = Array(input).string.trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n\""))
        let expected = strtod(word, nil)
        precondition(double.bitPattern == expected.bitPattern, "\(word) is \(expected), not \(double)")
        precondition(float.bitPattern == strtof(word, nil).bitPattern, "\(word) is not \(float)")
        // The number lies between the neighbours of the nearest double or float, and rounding never changes an order.
        precondition(
            (Float16(expected.nextDown)...Float16(expected.nextUp)).contains(half),
            "\(word) is not \(half) in FP16"
        )
        precondition(
            (Float(BFloat16(float.nextDown))...Float(BFloat16(float.nextUp))).contains(Float(brain)),
            "\(word) is not \(Float(brain)) in BF16"
        )
    }

    /// Any bits as numbers of each floating type: the text is as short as can be, and read back as the same bits.
    static let shortestDecimals = FuzzTarget(name: "shortest-decimals") { input in
        let input = UnsafeRawBufferPointer(rebasing: input.prefix(16))
        try Self.checkText(of: input, .fp64) { (number: Double) in number.isNaN ? nil : "\(number)" }
        try Self.checkText(of: input, .fp32) { (number: Float) in number.isNaN ? nil : "\(number)" }
        try Self.checkText(of: input, .fp16) { (number: Float16) in number.isNaN ? nil : "\(number)" }
        // The standard library does not know BF16: the shortest of its digits cannot be told from outside.
        try Self.checkText(of: input, .bf16) { (number: BFloat16) in Float(number).isNaN ? nil : "" }
    }

    /// - Parameter description: the shortest decimal by the standard library; empty if unknown, `nil` for no number.
    private static func checkText<Element: BitwiseCopyable>(
        of input: UnsafeRawBufferPointer,
        _ dataType: DataType,
        _ description: (Element) -> String?
    ) throws {
        for start in stride(from: 0, through: input.count - dataType.byteWidth, by: dataType.byteWidth) {
            let bytes = input[start..<start + dataType.byteWidth]
            let tensor = try Tensor(uninitialized: dataType, shape: Shape([1]))
            let number = withExtendedLifetime(tensor) {
                tensor.bytes.copyBytes(from: bytes)
                return tensor.elements(as: Element.self)[0]
            }
            var writer = JSONWriter()
            try writer.tensorData(tensor, nested: false)
            let text = writer.text
            guard let shortest = description(number) else {
                precondition(text.string == #"["NaN"]"#, "NaN has no sign and no payload: \(text.string)")
                continue
            }
            guard let again: Element = Self.number(in: text, dataType) else {
                preconditionFailure("what was written can be read: \(text.string)")
            }
            precondition(withUnsafeBytes(of: again) { $0.elementsEqual(bytes) }, "numbers read back: \(text.string)")
            // Whole numbers of many digits are written as they are where an exponent would take more room.
            let isShort =
                Self.digitCount(text.string) <= Self.digitCount(shortest) || text.count - 2 <= shortest.utf8.count
            precondition(shortest.isEmpty || isShort, "\(text.string) is not as short as \(shortest)")
        }
    }

    /// The only element of a JSON array.
    private static func number<Element: BitwiseCopyable>(in text: [UInt8], _ dataType: DataType) -> Element? {
        text.withUnsafeBytes { text in
            guard let tensor = Self.tensor(in: text, default: dataType), tensor.shape.dimensions == [1] else {
                return nil
            }
            return withExtendedLifetime(tensor) { tensor.elements(as: Element.self)[0] }
        }
    }

    /// How many digits there are without the zeros at both ends and the exponent.
    private static func digitCount(_ text: String) -> Int {
        let mantissa = text.prefix { $0 != "e" }.utf8.filter { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        let zero = UInt8(ascii: "0")
        return mantissa.drop { $0 == zero }.reversed().drop { $0 == zero }.count
    }
}
