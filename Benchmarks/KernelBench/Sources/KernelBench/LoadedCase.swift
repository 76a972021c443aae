import Foundation
import Normalization
import Tensors

/// A layer, made once, with its input in memory.
///
/// The layer normalizes in place, as the service has it do, so that each call works on the output of the one before.
struct LoadedCase {
    private let layer: any NormalizationLayer
    private let outputType: DataType
    private let original: Tensor
    private let working: Tensor

    init(_ source: LayerCase) throws {
        guard let type = LayerType.named(source.type) else { throw Mistake("no layer type \(source.type)") }
        var parameters: [ParameterName: ParameterValue] = [:]
        for (name, value) in source.parameters {
            parameters[ParameterName(rawValue: name)] = try ParameterValue(value)
        }
        self.layer = try type.makeLayer(LayerParameters(parameters))
        self.original = try Tensor(source.input)
        self.working = try Tensor(uninitialized: self.original.dataType, shape: self.original.shape)
        self.outputType = try source.outputType.map(DataType.init(named:)) ?? self.original.dataType
        self.restore()
    }

    /// Puts the input back where the last output stands.
    func restore() {
        self.working.bytes.copyMemory(from: UnsafeRawBufferPointer(self.original.bytes))
    }

    @discardableResult
    func normalize(threadCount: Int) throws -> Tensor {
        try self.layer.normalize(self.working, into: self.outputType, threadCount: threadCount).output
    }
}

extension ParameterValue {
    fileprivate init(_ value: Value) throws {
        switch value {
        case .integer(let number): self = .integer(number)
        case .real(let number): self = .real(number)
        case .boolean(let flag): self = .boolean(flag)
        case .text(let text): self = .text(text)
        case .integers(let list): self = .integers(list)
        case .tensor(let file): self = .tensor(try Tensor(file))
        }
    }
}

extension DataType {
    fileprivate init(named name: String) throws {
        guard let type = Self(rawValue: name) else { throw Mistake("no data type \(name)") }
        self = type
    }
}

extension Tensor {
    fileprivate init(_ source: TensorFile) throws {
        try self.init(uninitialized: DataType(named: source.datatype), shape: Shape(source.shape))
        let content = try Data(contentsOf: URL(fileURLWithPath: source.file), options: .alwaysMapped)
        guard content.count == self.byteCount else {
            throw Mistake("\(source.file) has \(content.count) bytes and not \(self.byteCount)")
        }
        content.copyBytes(to: self.bytes)
    }
}

/// Something that the script that writes the requests got wrong.
struct Mistake: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
