import AlignedMemory
import HTTPCore
import HTTPTypes
import Normalization
import TensorFormats
import Tensors

/// `/layers`: the layer repository (API section 6).
struct LayersEndpoint {
    let maximumJSONDepth: Int

    /// How many elements each tensor may have.
    let maximumElementCount: Int

    let layers: LayerRepository

    /// What is answered from memory is answered at once; what writes, or may be large, is left to a worker.
    func admit(_ head: HTTPRequest, _ target: RoutedTarget) throws(HTTPProblem) -> HTTPAdmission {
        let query = try LayerQuery(head, for: target.route)
        switch head.method {
        case .put:
            _ = try Self.newName(target)
            _ = try Self.contentType(head)
            return .receive(bodyOffset: 0, inlineLimit: -1)
        case .delete:
            return .receive(bodyOffset: 0, inlineLimit: -1)
        case _ where target.route == .layers:
            return .receive(bodyOffset: 0, inlineLimit: -1)
        default:
            let layer = try self.layer(target)
            guard query.wantsParameters else {
                return .answer(try self.description(of: layer, target, query))
            }
            return .receive(bodyOffset: 0, inlineLimit: -1)
        }
    }

    func respond(to message: HTTPRequestMessage, _ target: RoutedTarget) throws(HTTPProblem) -> HTTPReply {
        switch message.head.method {
        case .put: try self.register(message, as: try Self.newName(target))
        case .delete: try self.remove(target)
        case _ where target.route == .layers: .layers(self.layers.all())
        default:
            try self.description(
                of: try self.layer(target),
                target,
                try LayerQuery(message.head, for: target.route)
            )
        }
    }

    /// The layer that the path names.
    private func layer(_ target: RoutedTarget) throws(HTTPProblem) -> RegisteredLayer {
        let parameters = target.parameters
        return try self.layers.layer(
            for: LayerReference(
                name: parameters[0],
                version: parameters.count > 1 ? parameters[1] : nil,
                pointer: nil
            )
        )
    }

    private func description(
        of layer: RegisteredLayer,
        _ target: RoutedTarget,
        _ query: LayerQuery
    ) throws(HTTPProblem) -> HTTPReply {
        var versions: LayerVersions?
        if target.route == .layer {
            // Another version may have come in between.
            versions = self.layers.versions(of: layer.name) ?? LayerVersions(layer)
        }
        do throws(AllocationError) {
            return try .layer(layer, allVersions: versions, withParameters: query.wantsParameters)
        } catch {
            throw HTTPProblem(.outOfMemory, "there is no memory for the answer")
        }
    }

    private func remove(_ target: RoutedTarget) throws(HTTPProblem) -> HTTPReply {
        let layer = try self.layer(target)
        do throws(LayerRepositoryError) {
            try self.layers.remove(layer.name, version: target.route == .layerVersion ? layer.version : nil)
        } catch {
            throw HTTPProblem(error)
        }
        return HTTPReply(head: HTTPResponse(status: .noContent))
    }

    private func register(_ message: HTTPRequestMessage, as name: LayerName) throws(HTTPProblem) -> HTTPReply {
        .registered(try self.layers.register(try self.definition(in: message), as: name))
    }

    /// The layer that the content describes.
    private func definition(in message: HTTPRequestMessage) throws(HTTPProblem) -> LayerDefinition {
        let buffer = try HTTPProblem.wording(message.bufferOrEmpty)
        let body = try HTTPProblem.wording { () throws(TensorFormatError) in
            try BinaryFraming(
                buffer: buffer,
                body: message.bodyRange,
                jsonByteCount: nil,
                elementLimit: self.maximumElementCount
            )
        }
        if try Self.contentType(message.head) == .safetensors {
            let file = try HTTPProblem.wording { () throws(TensorFormatError) in
                try SafetensorsRequest(buffer, message.bodyRange, elementLimit: self.maximumElementCount)
            }
            return try LayerDefinition(safetensors: body, file)
        }
        do throws(HTTPProblem) {
            return try LayerDefinition(json: body, maximumDepth: self.maximumJSONDepth)
        } catch {
            throw error.unlessSyntaxIsWrong(in: body, maximumDepth: self.maximumJSONDepth)
        }
    }

    private static func newName(_ target: RoutedTarget) throws(HTTPProblem) -> LayerName {
        guard let name = LayerName(target.parameters[0]) else { throw HTTPProblem(.invalidValue, LayerName.rule) }
        return name
    }

    /// What the content is, JSON or safetensors; 415 for anything else.
    private static func contentType(_ head: HTTPRequest) throws(HTTPProblem) -> MediaType {
        guard let value = head.headerFields[.contentType] else { return .json }
        let known: [MediaType] = [.json, .safetensors]
        guard let type = MediaType(contentType: value), known.contains(type) else {
            let list = known.map(\.rawValue).joined(separator: ", ")
            throw HTTPProblem(
                .unsupportedMediaType,
                "Content-Type is none of \(list)",
                fields: [.accept: list]
            )
        }
        return type
    }
}
