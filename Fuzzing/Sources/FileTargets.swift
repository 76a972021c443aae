import AlignedMemory
import Foundation
import HTTPCore
import HTTPTypes
import Tensors

@testable import NormalizationService
@testable import TensorFormats

extension FuzzTarget {
    /// A safetensors file, and one whose header is the input up to a byte 0, the rest being its data. Its tensors share no
    /// byte, and leave none out; those that can be had can be written, and read again as the same bits.
    static let safetensors = FuzzTarget(name: "safetensors") { input in
        for file in [Array(input), FuzzFile.safetensors(input)] {
            do throws(TensorFormatError) {
                try Self.check(safetensors: file)
            } catch {
                precondition(!error.description.isEmpty, "an error has words")
            }
        }
    }

    private static func check(safetensors file: [UInt8]) throws(TensorFormatError) {
        let header = try file.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
            try SafetensorsHeader(UnsafeRawBufferPointer(bytes))
        }
        var end = header.dataOffset
        var tensors: [(name: String, tensor: Tensor)] = []
        for entry in header.entries {
            precondition(entry.byteRange.lowerBound == end, "each tensor begins where the one before it ends")
            end = entry.byteRange.upperBound
            let tensor = try file.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
                try entry.tensor(copiedFrom: UnsafeRawBufferPointer(bytes), elementLimit: 1 << 16)
            }
            precondition(tensor.bits.elementsEqual(file[entry.byteRange]), "each tensor has its own bytes")
            tensors.append((entry.name, tensor))
        }
        precondition(end == file.count, "no byte is left over")
        let writer = SafetensorsWriter(tensors, metadata: header.metadata)
        let again = writer.header + writer.tensors.flatMap(\.bits)
        let header2 = try again.withUnsafeBufferPointer { (bytes) throws(TensorFormatError) in
            try SafetensorsHeader(UnsafeRawBufferPointer(bytes))
        }
        precondition(header2.metadata.count == header.metadata.count, "what was written has all pairs")
        for (name, tensor) in tensors {
            guard let entry = header2[name] else { preconditionFailure("what was written has all tensors") }
            precondition(again[entry.byteRange].elementsEqual(tensor.bits), "what was written reads back")
            precondition(entry.shape == tensor.shape, "a shape is written as it is")
        }
    }

    /// An `.npy` file, and one whose header is the input up to a byte 0, the rest being its data. An array that was read can
    /// be written, and read again as the same bits.
    static let npy = FuzzTarget(name: "npy") { input in
        for file in [Array(input), FuzzFile.npy(input)] {
            guard let tensor = try Self.tensor(npy: file) else { continue }
            let written = NPYFile.header(tensor.dataType, tensor.shape) + tensor.bits
            guard let again = try Self.tensor(npy: written) else { preconditionFailure("what was written can be read") }
            precondition(again.dataType == tensor.dataType && again.shape == tensor.shape, "as it was written")
            precondition(again.bits == tensor.bits, "what was written reads back")
        }
    }

    private static func tensor(npy file: [UInt8]) throws -> Tensor? {
        let buffer = try AlignedBuffer(capacity: file.count)
        buffer[0..<file.count].copyBytes(from: file)
        do throws(TensorFormatError) {
            return try NPYFile.tensor(in: buffer, 0..<file.count, elementLimit: 1 << 16)
        } catch {
            precondition(!error.description.isEmpty, "an error has words")
            return nil
        }
    }

    /// Whole requests in the forms that are no JSON: a query, a byte 0, and the bytes of a tensor, or the dictionary of an
    /// `.npy` file, a byte 0 and its data; or the header of a safetensors file, a byte 0 and its data.
    static let serviceFiles = FuzzTarget(name: "service-files") { input in
        var generator = InputGenerator(input)
        let accept = ([nil] + MediaType.allCases).randomElement(using: &generator) ?? nil
        if input.first == UInt8(ascii: "{") {
            let fields: HTTPFields = [.contentType: MediaType.safetensors.rawValue]
            try ServiceExchange(body: FuzzFile.safetensors(input), fields: fields, accept: accept).check()
            return
        }
        let query = input.prefix { $0 != 0 }
        // The parser hands on no other targets.
        guard query.allSatisfy({ 0x21..<0x7f ~= $0 }) else { return }
        let content = UnsafeRawBufferPointer(rebasing: input.dropFirst(query.count + 1))
        let isNPY = content.first == UInt8(ascii: "{")
        var exchange = ServiceExchange(
            body: isNPY ? FuzzFile.npy(content) : Array(content),
            fields: [.contentType: (isNPY ? MediaType.npy : .binary).rawValue],
            accept: accept
        )
        exchange.path = "/normalize?" + String(decoding: query, as: UTF8.self)
        try exchange.check()
    }
}

/// Files made of a text up to a byte 0, and the data after it: mutations of the text keep its length right.
enum FuzzFile {
    static func safetensors(_ input: UnsafeRawBufferPointer) -> [UInt8] {
        let text = input.prefix { $0 != 0 }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text + input.dropFirst(text.count + 1)
    }

    static func npy(_ input: UnsafeRawBufferPointer) -> [UInt8] {
        let text = input.prefix { $0 != 0 }
        let length = withUnsafeBytes(of: UInt16(truncatingIfNeeded: text.count).littleEndian, Array.init)
        return NPYHeader.magic + [1, 0] + length + text + input.dropFirst(text.count + 1)
    }
}
