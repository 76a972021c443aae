import HTTPCore
import TensorFormats

/// How a request names a registered layer: `"bn1"`, or `{"name": "bn1", "version": "2"}`.
struct LayerReference {
    var name: String

    /// The latest where it is absent.
    var version: String?

    /// Where the name stands in the request, as a JSON Pointer, if it has such a place.
    var pointer: String? = "/layer"
}

extension LayerRepository {
    /// The layer that a request names, or 404: the one way from a name to a layer.
    func layer(for reference: LayerReference) throws(HTTPProblem) -> RegisteredLayer {
        let known = LayerName(reference.name).flatMap { self.versions(of: $0) }
        guard let known else {
            throw HTTPProblem(.unknownLayer, "no layer of this name is registered", pointer: reference.pointer)
        }
        guard let text = reference.version else { return known.latest }
        guard let version = LayerVersion(text), let layer = known[version] else {
            throw HTTPProblem(
                .unknownLayer,
                "the layer has no such version; the latest is \(known.latest.version)",
                pointer: reference.pointer
            )
        }
        return layer
    }
}
