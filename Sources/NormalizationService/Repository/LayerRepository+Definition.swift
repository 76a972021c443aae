import HTTPCore
import Normalization

extension LayerRepository {
    /// Checks and prepares a layer, and makes it a new version.
    func register(_ definition: LayerDefinition, as name: LayerName) throws(HTTPProblem) -> RegisteredLayer {
        let prepared: PreparedLayer
        do throws(LayerError) {
            prepared = try PreparedLayer(definition)
        } catch {
            throw HTTPProblem(error, layer: "")
        }
        do throws(LayerRepositoryError) {
            return try self.register(prepared, as: name)
        } catch {
            throw HTTPProblem(error)
        }
    }
}
