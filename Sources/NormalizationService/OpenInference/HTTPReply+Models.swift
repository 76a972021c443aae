import HTTPCore
import HTTPTypes
import TensorFormats
import Tensors

extension HTTPReply {
    /// A small JSON object that no client has to decode first: those of the Open Inference Protocol do not even where
    /// they say that they can.
    static func plainJSON(_ members: (inout JSONWriter) -> Void) -> HTTPReply {
        var reply = HTTPReply.json { writer in writer.object(members) }
        reply.mayBeCoded = false
        return reply
    }

    /// `{"live": true}` and the like.
    static func flag(_ name: String, _ value: Bool = true, ofModel model: String? = nil) -> HTTPReply {
        .plainJSON { writer in
            if let model {
                writer.member("name", model)
            }
            writer.name(name)
            writer.boolean(value)
        }
    }

    /// What `GET /v2` answers.
    static func serverMetadata(version: String) -> HTTPReply {
        .plainJSON { writer in
            writer.member("name", "normserve")
            writer.member("version", version)
            writer.name("extensions")
            writer.array { writer in
                for name in [
                    "binary_tensor_data", "model_configuration", "model_repository", "parameters", "statistics",
                ] {
                    writer.string(name)
                }
            }
        }
    }

    /// What a client has to know of a model to use it.
    ///
    /// - Parameter layer: the version that is described.
    static func metadata(_ layer: RegisteredLayer, _ signature: ModelSignature, of versions: LayerVersions) -> HTTPReply
    {
        .plainJSON { writer in
            writer.member("name", layer.name.text)
            writer.name("versions")
            writer.array { writer in
                for layer in versions.layers {
                    writer.string(layer.version.description)
                }
            }
            writer.member("platform", "normserve")
            for (list, name) in [("inputs", ModelSignature.inputName), ("outputs", ModelSignature.outputName)] {
                writer.name(list)
                writer.array { writer in
                    writer.object { writer in
                        writer.member("name", name)
                        writer.member("datatype", layer.dataType.rawValue)
                        writer.member("shape", signature.shape)
                    }
                }
            }
        }
    }

    /// The configuration of a model as Triton writes it, whose tools ask for it.
    static func configuration(_ layer: RegisteredLayer, _ signature: ModelSignature) -> HTTPReply {
        .plainJSON { writer in
            writer.member("name", layer.name.text)
            writer.member("platform", "normserve")
            writer.member("backend", "normserve")
            writer.member("max_batch_size", signature.maximumBatchSize)
            for (list, name) in [("input", ModelSignature.inputName), ("output", ModelSignature.outputName)] {
                writer.name(list)
                writer.array { writer in
                    writer.object { writer in
                        writer.member("name", name)
                        writer.member("data_type", "TYPE_\(layer.dataType.rawValue)")
                        writer.member("dims", signature.sampleShape)
                    }
                }
            }
            writer.name("parameters")
            writer.object { writer in
                writer.name("layer_type")
                writer.object { writer in writer.member("string_value", layer.type.name) }
            }
        }
    }

    /// What was asked of some versions of models, as Triton's tools want it.
    static func statistics(_ layers: [RegisteredLayer]) -> HTTPReply {
        .plainJSON { writer in
            writer.name("model_stats")
            writer.array { writer in
                for layer in layers {
                    writer.object { writer in writer.statistics(of: layer) }
                }
            }
        }
    }

    /// Versions of models with their states.
    static func index(_ entries: [(layer: RegisteredLayer, isReady: Bool)]) -> HTTPReply {
        var reply = HTTPReply.json { writer in
            writer.array { writer in
                for entry in entries {
                    writer.object { writer in
                        writer.member("name", entry.layer.name.text)
                        writer.member("version", entry.layer.version.description)
                        writer.member("state", entry.isReady ? "READY" : "UNAVAILABLE")
                        if !entry.isReady {
                            writer.member("reason", "unloaded")
                        }
                    }
                }
            }
        }
        reply.mayBeCoded = false
        return reply
    }

    /// 200 without content, for what only has to be done.
    static let done = HTTPReply(head: HTTPResponse(status: .ok), mayBeCoded: false)
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ dimensions: [Int]) {
        self.name(name)
        self.array { writer in
            for dimension in dimensions {
                writer.integer(dimension)
            }
        }
    }

    fileprivate mutating func member(_ name: String, _ total: ModelStatistics.Total) {
        self.name(name)
        self.object { writer in
            writer.member("count", total.count)
            writer.member("ns", Int(clamping: total.nanoseconds))
        }
    }

    fileprivate mutating func members(_ stages: ModelStatistics.Stages) {
        self.member("compute_input", stages.input)
        self.member("compute_infer", stages.inference)
        self.member("compute_output", stages.output)
    }

    /// All members of the schema are there, also those of what there is not: perf_analyzer asserts that they are.
    fileprivate mutating func statistics(of layer: RegisteredLayer) {
        let counts = layer.statistics.counts
        self.member("name", layer.name.text)
        self.member("version", layer.version.description)
        self.member("last_inference", Int(clamping: counts.lastInference))
        self.member("inference_count", counts.sampleCount)
        self.member("execution_count", counts.success.count)
        self.name("inference_stats")
        self.object { writer in
            writer.member("success", counts.success)
            writer.member("fail", counts.failure)
            writer.member("queue", counts.queue)
            writer.members(counts.stages)
            writer.member("cache_hit", ModelStatistics.Total())
            writer.member("cache_miss", ModelStatistics.Total())
        }
        self.name("response_stats")
        self.object { _ in }
        self.name("batch_stats")
        self.array { writer in
            for (batchSize, stages) in counts.batches.sorted(by: { $0.key < $1.key }) {
                writer.object { writer in
                    writer.member("batch_size", batchSize)
                    writer.members(stages)
                }
            }
        }
        self.name("memory_usage")
        self.array { _ in }
    }
}
