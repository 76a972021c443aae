import AlignedMemory
import Foundation
import HTTPCore
import Tensors

@testable import NormalizationService
@testable import TensorFormats

extension FuzzTarget {
    /// One tensor in JSON. Once read, it can be written, flat and nested, and read again as the same bits.
    static let jsonTensor = FuzzTarget(name: "json-tensor") { input in
        for dataType in DataType.allCases {
            guard let tensor = Self.tensor(in: input, default: dataType) else { continue }
            for nested in [false, true] {
                var writer = JSONWriter()
                try writer.tensor(tensor, nested: nested)
                writer.text.withUnsafeBytes { text in
                    guard let again = Self.tensor(in: text, default: dataType) else {
                        preconditionFailure("what was written can be read: \(writer.text.string)")
                    }
                    precondition(again.shape == tensor.shape, "a shape is written as it is")
                    precondition(again.bits == tensor.bits, "numbers read back: \(writer.text.string)")
                }
            }
        }
    }

    /// The tensor that the text is, if it is one.
    static func tensor(in text: UnsafeRawBufferPointer, default dataType: DataType) -> Tensor? {
        do throws(TensorFormatError) {
            var reader = try JSONReader(text, nestingLimit: 8)
            let tensor = try reader.readTensor()
            try reader.finish()
            return try tensor.decode(from: text, default: dataType)
        } catch {
            precondition(!error.description.isEmpty, "an error has words")
            return nil
        }
    }

    /// The JSON of a request to normalize, all but the numbers of its tensors. JSON is never taken for anything else, and
    /// what is taken for JSON is JSON for others, too.
    static let normalizeRequest = FuzzTarget(name: "normalize-request") { input in
        let syntaxError = JSONReader.syntaxError(in: input, nestingLimit: 16)
        do throws(TensorFormatError) {
            _ = try NormalizeRequest(input, maximumDepth: 16)
        } catch {
            // RFC 8259 §4 leaves it open what a name that is used twice means; here it is no JSON.
            if case .duplicateMember = error { return }
            let problem = HTTPProblem(error)
            precondition(syntaxError != nil || problem.status != .badRequest, "this is JSON: \(problem.detail)")
        }
        // The tokens that Python writes are no JSON, and Foundation refuses numbers that are too large for it.
        let text = String(decoding: input, as: UTF8.self)
        guard syntaxError == nil, !text.contains("NaN"), !text.contains("Infinity") else { return }
        do {
            _ = try JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)
        } catch {
            precondition("\(error)".contains("not representable"), "only JSON is taken for JSON: \(error)")
        }
    }

    /// Tensors whose bytes follow the JSON. The last two bytes of the input say how long the JSON is.
    static let binaryFraming = FuzzTarget(name: "binary-framing") { input in
        var choices = Choices(input)
        let jsonByteCount = choices.number(below: 1 << 16)
        let offset = jsonByteCount & 63
        let body = offset..<offset + choices.rest.count
        let buffer = try AlignedBuffer(capacity: body.upperBound)
        buffer[body].copyBytes(from: choices.rest)
        do throws(TensorFormatError) {
            var framing = try BinaryFraming(buffer: buffer, body: body, jsonByteCount: jsonByteCount)
            var reader = try JSONReader(framing.json, nestingLimit: 8)
            var tensors: [JSONTensor] = []
            try reader.readArray { (reader) throws(TensorFormatError) in tensors.append(try reader.readTensor()) }
            try reader.finish()
            try framing.assignBytes(to: tensors)
            var byteCount = jsonByteCount
            for described in tensors {
                let tensor = try framing.decode(described, default: .fp32)
                if case .binary(let count) = described.content {
                    let bytes = choices.rest[byteCount..<byteCount + count]
                    precondition(tensor.bits.elementsEqual(bytes), "each tensor has its own bytes")
                    byteCount += count
                }
            }
            precondition(byteCount == choices.rest.count, "no byte is left over")
        } catch {
            precondition(!error.description.isEmpty, "an error has words")
        }
    }
}

extension JSONWriter {
    /// What has been written, put together.
    var text: [UInt8] {
        self.finish().flatMap { part in
            switch part {
            case .bytes(let bytes): bytes
            case .buffer(let buffer, let range): Array(buffer[range])
            }
        }
    }
}

extension [UInt8] {
    var string: String { String(decoding: self, as: UTF8.self) }
}
