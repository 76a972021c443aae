import Glibc
import Normalization
import TensorFormats
import Tensors

extension LayerRepository {
    /// What was found in a checkpoint.
    public struct CheckpointReport: Sendable {
        /// How many layers of each type were registered.
        public var counts: [String: Int] = [:]

        /// What seems to normalize, but is not used.
        public var faults: [LayerFault] = []
    }

    /// Registers every normalization layer of a checkpoint under its key prefix. Only the header and the tensors of
    /// those layers are read. The layers cannot be changed.
    ///
    /// - Parameters:
    ///   - path: a safetensors file.
    ///   - elementLimit: how many elements a tensor may have.
    public func addCheckpoint(
        _ path: String,
        _ rules: CheckpointRules,
        elementLimit: Int
    ) throws(LayerRepositoryFailure) -> CheckpointReport {
        do throws(LayerFileError) {
            let file = try SafetensorsFile(try Self.open(path))
            let plan = CheckpointPlan(file.header.entries, rules)
            var report = CheckpointReport(faults: plan.faults)
            for layer in plan.layers {
                let prepared = try Self.read(layer, from: file, elementLimit: elementLimit)
                switch prepared {
                case .success(let prepared):
                    if let fault = self.addReadOnly(prepared, as: layer.name) {
                        report.faults.append(fault)
                    } else {
                        report.counts[layer.type.name, default: 0] += 1
                    }
                case .failure(let error):
                    report.faults.append(LayerFault(layer: layer.name.text, reason: error.description))
                }
            }
            return report
        } catch {
            throw LayerRepositoryFailure(description: error.description)
        }
    }

    private static func open(_ path: String) throws(LayerFileError) -> OpenFile {
        do throws(FileError) {
            return try OpenFile(path: path, flags: O_RDONLY)
        } catch {
            throw .system(error)
        }
    }

    /// A layer whose parameters are impossible is a failure of that layer alone; a file that cannot be read is one of all.
    private static func read(
        _ layer: CheckpointPlan.Layer,
        from file: borrowing SafetensorsFile,
        elementLimit: Int
    ) throws(LayerFileError) -> Result<PreparedLayer, LayerFileError> {
        var values = layer.values
        for (name, entry) in layer.tensors {
            do throws(LayerFileError) {
                values[name] = .tensor(try file.tensor(entry, elementLimit: elementLimit))
            } catch {
                guard case .format = error else { throw error }
                return .failure(error)
            }
        }
        do throws(LayerError) {
            return .success(try PreparedLayer(LayerDefinition(layer.type, dataType: nil, values: values, untyped: [])))
        } catch {
            return .failure(.layer(error))
        }
    }
}
