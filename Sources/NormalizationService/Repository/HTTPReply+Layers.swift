import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

extension HTTPReply {
    /// All layers, each with its versions and what its latest one is.
    static func layers(_ layers: [LayerVersions]) -> HTTPReply {
        .json { writer in
            writer.object { writer in
                writer.name("layers")
                writer.array { writer in
                    for versions in layers {
                        writer.object { writer in
                            writer.member("name", versions.latest.name.text)
                            writer.member(versions)
                            writer.description(of: versions.latest)
                        }
                    }
                }
            }
        }
    }

    /// A version of a layer; or, where `allVersions` are there, the layer as such, which is that of its latest version.
    static func layer(
        _ layer: RegisteredLayer,
        allVersions: LayerVersions?,
        withParameters: Bool
    ) throws(AllocationError) -> HTTPReply {
        var writer = JSONWriter()
        try writer.object { (writer) throws(AllocationError) in
            writer.member("name", layer.name.text)
            if let allVersions {
                writer.member(allVersions)
            } else {
                writer.member("version", layer.version.description)
            }
            writer.description(of: layer)
            if withParameters {
                writer.name("parameters")
                try writer.parameters(of: layer.definition)
            }
        }
        return HTTPReply(
            head: HTTPResponse(status: .ok, headerFields: [.contentType: MediaType.json.rawValue]),
            body: writer.finish().map(HTTPBodyPart.init)
        )
    }

    /// RFC 9110 §15.3.2: 201 says where the new thing is.
    static func registered(_ layer: RegisteredLayer) -> HTTPReply {
        var reply = HTTPReply.json(.created) { writer in
            writer.object { writer in
                writer.member("name", layer.name.text)
                writer.member("version", layer.version.description)
                writer.description(of: layer)
            }
        }
        reply.head.headerFields[.location] = "/layers/\(layer.name)/versions/\(layer.version)"
        return reply
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ versions: LayerVersions) {
        self.name("versions")
        self.array { writer in
            for layer in versions.layers {
                writer.string(layer.version.description)
            }
        }
    }

    fileprivate mutating func description(of layer: RegisteredLayer) {
        self.member("type", layer.type.name)
        self.member("datatype", layer.dataType.rawValue)
    }

    /// The parameters that were given, as a layer object takes them, in the order of the type's documentation.
    fileprivate mutating func parameters(of definition: LayerDefinition) throws(AllocationError) {
        try self.object { (writer) throws(AllocationError) in
            for specification in definition.type.parameters {
                guard let value = definition.values[specification.name] else { continue }
                writer.name(specification.name.rawValue)
                guard case .tensor(let tensor) = value else {
                    writer.value(value)
                    continue
                }
                try writer.tensor(tensor, isTyped: !definition.untyped.contains(specification.name))
            }
        }
    }

    /// A tensor object; one that came without a data type goes without.
    private mutating func tensor(_ tensor: Tensor, isTyped: Bool) throws(AllocationError) {
        guard !isTyped else { return try self.tensor(tensor, nested: false) }
        try self.object { (writer) throws(AllocationError) in
            writer.name("shape")
            writer.shape(tensor.shape)
            writer.name("data")
            try writer.tensorData(tensor, nested: false)
        }
    }
}
