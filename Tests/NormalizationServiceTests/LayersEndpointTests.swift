import AlignedMemory
import Foundation
import HTTPTypes
import TensorFormats
import Tensors
import Testing

@testable import NormalizationService

/// The layer repository over HTTP (API section 6).
@Suite struct LayersEndpointTests {
    private let client: ServiceClient

    init() throws {
        var client = ServiceClient()
        client.authorization = Authorization(.init(admin: try KeyRing(file: Array("root".utf8))))
        self.client = client
    }

    private let batchNorm = #"{"type":"batch_norm","running_mean":[0.5,1],"running_var":[1,4],"eps":0.001}"#

    @discardableResult
    private func put(_ name: String, _ json: String, _ fields: HTTPFields = [:]) throws -> Answer {
        var fields = fields
        fields[.authorization] = "Bearer root"
        return try self.client.send(.put, "/layers/\(name)", fields, body: Array(json.utf8))
    }

    private func delete(_ path: String) throws -> Int {
        try self.client.send(.delete, path, [.authorization: "Bearer root"]).status
    }

    private func get(_ path: String) throws -> Answer { try self.client.send(.get, path) }

    private func text(_ answer: Answer) -> String { String(decoding: answer.body, as: UTF8.self) }

    @Test func aLayerIsRegistered() throws {
        for version in ["1", "2"] {
            let answer = try self.put("bn1", self.batchNorm)
            #expect(answer.status == 201)
            #expect(answer.fields[.location] == "/layers/bn1/versions/\(version)")
            let description = #"{"name":"bn1","version":"\#(version)","type":"batch_norm","datatype":"FP32"}"#
            #expect(self.text(answer) == description)
            #expect(self.text(try self.get("/layers/bn1/versions/\(version)")) == description)
        }
        let description = #"{"name":"bn1","versions":["1","2"],"type":"batch_norm","datatype":"FP32"}"#
        #expect(self.text(try self.get("/layers/bn1")) == description)
        try self.put("a", #"{"type":"rms_norm","axis":-1,"datatype":"BF16"}"#)
        let other = #"{"name":"a","versions":["1"],"type":"rms_norm","datatype":"BF16"}"#
        #expect(self.text(try self.get("/layers")) == #"{"layers":[\#(other),\#(description)]}"#)
    }

    @Test func theListMayBeEmpty() throws {
        #expect(self.text(try self.get("/layers")) == #"{"layers":[]}"#)
    }

    @Test(
        "A registered layer does what the same layer in the request does, bit for bit",
        arguments: [
            (
                #"{"type":"batch_norm","running_mean":[0.1,1],"running_var":[0.7,4],"weight":[0.3,3],"eps":0.001}"#,
                "[[7.7,9]]"
            ),
            (
                #"{"type":"layer_norm","normalized_shape":3,"weight":[0.1,0.2,0.3],"bias":[1,2,0.7]}"#,
                "[[1,5,7.7],[1,1,1.1]]"
            ),
            (#"{"type":"rms_norm","axis":-1,"weight":{"data":[0.1,0.2],"datatype":"FP16"}}"#, "[[1,5.5]]"),
            (#"{"type":"dynamic_tanh","alpha":[0.3],"bias":{"data":[0.1],"datatype":"FP64"}}"#, "[[1.77]]"),
            (#"{"type":"spectral_norm","u":[0.6,0.8]}"#, "[[1,2],[3,4.4]]"),
            (#"{"type":"standardize","mean":[0.1],"std":{"data":[3],"datatype":"UINT8"},"axis":0}"#, "[7.7]"),
        ],
        ["FP32", "FP64", "BF16", "INT8"]
    )
    func aRegisteredLayerDoesTheSame(_ layer: (json: String, input: String), type: String) throws {
        let data = type == "INT8" ? layer.input.replacing(/\.[0-9]/, with: "") : layer.input
        let input = #"{"data":\#(data),"datatype":"\#(type)"}"#
        #expect(try self.put("x", layer.json).status == 201)
        let expected = try self.client.normalize(#"{"layer":\#(layer.json),"input":\#(input)}"#)
        #expect(expected.status == 200, "\(self.text(expected))")
        for reference in [#""x""#, #"{"name":"x"}"#, #"{"version":"1","name":"x"}"#] {
            let answer = try self.client.normalize(#"{"layer":\#(reference),"input":\#(input)}"#)
            #expect(try answer.json["output"] as? NSDictionary == expected.json["output"] as? NSDictionary)
            let described = try #require(answer.json["layer"] as? [String: Any])
            #expect(described["name"] as? String == "x")
            #expect(described["version"] as? String == "1")
            #expect(described["type"] as? String == (try expected.json["layer"] as? [String: Any])?["type"] as? String)
        }
    }

    @Test func theParametersComeBackAsTheyWere() throws {
        let json = """
            {"type":"batch_norm","running_mean":[0.1,1],"running_var":{"datatype":"FP16","data":[1,4],"shape":[2,1]},\
            "eps":1e-3,"epsilon_placement":"std","use_batch_statistics":false,"bias":null,"datatype":"FP64"}
            """
        try self.put("x", json)
        for path in ["/layers/x", "/layers/x/versions/1"] {
            let answer = try self.get("\(path)?parameters=true")
            #expect(!answer.isByHead)
            #expect(
                self.text(answer).hasSuffix(
                    #""type":"batch_norm","datatype":"FP64","parameters":{"running_mean":{"shape":[2],"data":[0.1,1]},"#
                        + #""running_var":{"shape":[2,1],"datatype":"FP16","data":[1,4]},"eps":0.001,"#
                        + #""epsilon_placement":"std","use_batch_statistics":false}}"#
                )
            )
            // They make the same layer again.
            var layer = try #require(answer.json["parameters"] as? [String: Any])
            layer["type"] = "batch_norm"
            layer["datatype"] = "FP64"
            let again = String(decoding: try JSONSerialization.data(withJSONObject: layer), as: UTF8.self)
            #expect(try self.put("y", again).status == 201)
            let parameters = try self.get("/layers/y?parameters=true").json["parameters"] as? NSDictionary
            #expect(try parameters == answer.json["parameters"] as? NSDictionary)
        }
        #expect(try self.get("/layers/x?parameters=false").json["parameters"] == nil)
    }

    @Test(
        "The datatype is what is asked for, or that of the tensors where they agree, or FP32",
        arguments: [
            ("", "FP32"), (#","datatype":"FP64""#, "FP64"), (#","weight":{"data":[1],"datatype":"FP16"}"#, "FP16"),
            (#","weight":{"data":[1],"datatype":"FP16"},"datatype":"FP32""#, "FP32"),
            (#","weight":{"data":[1],"datatype":"FP16"},"bias":{"data":[1],"datatype":"BF16"}"#, "FP32"),
            (#","weight":{"data":[1],"datatype":"UINT8"}"#, "FP32"),
            (#","weight":{"data":[1],"datatype":"BF16"},"bias":[1]"#, "BF16"),
        ]
    )
    func whatTheDataTypeIs(members: String, type: String) throws {
        let answer = try self.put("x", #"{"type":"instance_norm"\#(members)}"#)
        #expect(try answer.json["datatype"] as? String == type)
    }

    @Test(
        "What is no layer is refused, and takes no number",
        arguments: [
            ("", 400, "invalid_json", nil), ("{", 400, "invalid_json", nil), ("[]", 422, "wrong_type", ""),
            ("3", 422, "wrong_type", ""), (#""bn1""#, 422, "missing_member", ""),
            (#"{"name":"bn1"}"#, 422, "missing_member", ""), ("{}", 422, "missing_member", ""),
            (#"{"type":"batchnorm"}"#, 422, "unknown_layer_type", "/type"),
            (#"{"type":"batch_norm"}"#, 422, "missing_parameter", ""),
            (#"{"type":"rms_norm","axis":-1,"x":1}"#, 422, "unknown_member", "/x"),
            (#"{"type":"rms_norm","axis":-1,"eps":-1}"#, 422, "invalid_parameter", "/eps"),
            (#"{"type":"rms_norm","axis":-1,"datatype":"INT8"}"#, 422, "unsupported_datatype", "/datatype"),
            (#"{"type":"rms_norm","axis":-1,"datatype":"F32"}"#, 422, "unsupported_datatype", "/datatype"),
            (#"{"type":"rms_norm","axis":-1,"weight":[1,]}"#, 400, "invalid_json", "/weight/1"),
            (#"{"type":"rms_norm","axis":-1,"datatype":"FP32","datatype":"FP32"}"#, 400, "invalid_json", "/datatype"),
            (
                #"{"type":"rms_norm","axis":-1,"weight":{"shape":[1],"parameters":{"binary_data_size":4}}}"#, 400,
                "invalid_binary_framing", "/weight"
            ),
            (#"{"type":"standardize","mean":[1],"std":[1],"axis":-9223372036854775808}x"#, 400, "invalid_json", nil),
        ] as [(String, Int, String, String?)]
    )
    func whatIsNoLayerIsRefused(json: String, status: Int, code: String, pointer: String?) throws {
        let answer = try self.put("bn1", json)
        #expect(answer.status == status)
        #expect(try answer.problem.code == code)
        #expect(try answer.problem.pointer == pointer, "\(self.text(answer))")
        #expect(try self.get("/layers/bn1").status == 404)
        #expect(try self.put("bn1", self.batchNorm).json["version"] as? String == "1")
    }

    @Test(arguments: [".x", "%20", "a%2bb", "a%00", String(repeating: "n", count: 129)])
    func whatIsNoNameIsRefused(name: String) throws {
        let answer = try self.put(name, self.batchNorm)
        #expect(answer.status == 422)
        #expect(answer.isByHead)
        #expect(try answer.problem.code == "invalid_value")
        #expect(try self.get("/layers/\(name)").status == 404)
        #expect(try self.delete("/layers/\(name)") == 404)
    }

    @Test func theContentTypeIsJSON() throws {
        #expect(try self.put("x", self.batchNorm, [.contentType: "application/json; charset=utf-8"]).status == 201)
        for type in ["text/plain", "application/octet-stream", "application/x-npy", ""] {
            let answer = try self.put("x", self.batchNorm, [.contentType: type])
            #expect(answer.status == 415)
            #expect(answer.isByHead)
        }
    }

    private func safetensors(_ metadata: [(String, String)], weight: [Double] = [0.1, 3]) throws -> [UInt8] {
        let tensor = try Tensor(uninitialized: .fp64, shape: Shape([weight.count]))
        _ = tensor.elements(as: Double.self).update(from: weight)
        let writer = SafetensorsWriter([("weight", tensor)], metadata: metadata.map { (name: $0, value: $1) })
        return writer.header + writer.tensors.flatMap { Array($0.bytes) }
    }

    private func put(_ name: String, safetensors file: [UInt8]) throws -> Answer {
        let fields: HTTPFields = [.contentType: "application/x-safetensors", .authorization: "Bearer root"]
        return try self.client.send(.put, "/layers/\(name)", fields, body: file)
    }

    @Test func aSafetensorsFileIsALayer() throws {
        let file = try self.safetensors([("type", "rms_norm"), ("normalized_shape", "[2]"), ("eps", "1e-3")])
        #expect(try self.put("x", safetensors: file).json["datatype"] as? String == "FP64")
        let parameters = try self.get("/layers/x?parameters=true").json["parameters"] as? NSDictionary
        #expect(
            parameters == [
                "normalized_shape": [2], "eps": 0.001,
                "weight": ["shape": [2], "datatype": "FP64", "data": [0.1, 3]] as [String: Any],
            ] as NSDictionary
        )
        // As the server itself writes it: the tensor came without a type.
        let own = try self.safetensors([
            ("type", "rms_norm"), ("axis", "-1"), ("datatype", "BF16"), ("untyped", #"["weight"]"#),
        ])
        #expect(try self.put("y", safetensors: own).json["datatype"] as? String == "BF16")
        try self.put("z", #"{"type":"rms_norm","axis":-1,"weight":[0.1,3]}"#)
        let outputs = try ["y", "z"].map {
            try self.client.normalize(#"{"layer":"\#($0)","input":[[7.7,1.3]]}"#).json["output"] as? NSDictionary
        }
        #expect(outputs[0] == outputs[1] && outputs[0] != nil)
    }

    @Test(
        arguments: [
            ([], "missing_member"), ([("layer", "bn1")], "unknown_member"), ([("type", "norm")], "unknown_layer_type"),
            ([("type", "lp_norm")], "unknown_member"), ([("type", "rms_norm")], "missing_parameter"),
            ([("type", "instance_norm"), ("datatype", "INT8")], "unsupported_datatype"),
            ([("type", "instance_norm"), ("datatype", "F32")], "unsupported_datatype"),
            ([("type", "instance_norm"), ("untyped", #"["bias"]"#)], "invalid_value"),
            ([("type", "instance_norm"), ("untyped", "weight")], "invalid_value"),
            ([("type", "instance_norm"), ("eps", "much")], "invalid_value"),
        ] as [([(String, String)], String)]
    )
    func aSafetensorsFileThatIsNoLayer(metadata: [(String, String)], code: String) throws {
        let answer = try self.put("bn1", safetensors: try self.safetensors(metadata))
        #expect(answer.status == 422)
        #expect(try answer.problem.code == code, "\(self.text(answer))")
        #expect(try self.get("/layers/bn1").status == 404)
    }

    @Test func whatIsNoSafetensorsFileIsRefused() throws {
        let file = try self.safetensors([("type", "instance_norm")])
        for count in [0, 7, 8, 40, file.count - 1] {
            let answer = try self.put("x", safetensors: Array(file.prefix(count)))
            #expect(answer.status == 400)
            #expect(try answer.problem.code == "invalid_safetensors")
        }
    }

    @Test("What is registered is on no request's account")
    func registeredLayersAreNotInFlight() throws {
        let budget = MemoryBudget(limit: 1 << 24)
        let weight = String(repeating: "1.5,", count: 99_999) + "1.5"
        let answer = try MemoryBudget.$current.withValue(budget) {
            try self.put("x", #"{"type":"instance_norm","weight":[\#(weight)]}"#)
        }
        #expect(answer.status == 201)
        #expect(budget.usedBytes == 0)
    }

    @Test func versionsAreRemoved() throws {
        for _ in 1...3 { try self.put("x", self.batchNorm) }
        #expect(try self.delete("/layers/x/versions/2") == 204)
        #expect(try self.delete("/layers/x/versions/2") == 404)
        #expect(try self.get("/layers/x").json["versions"] as? [String] == ["1", "3"])
        #expect(try self.delete("/layers/x/versions/3") == 204)
        #expect(
            try self.client.normalize(#"{"layer":"x","input":[[1,2]]}"#).json["layer"] as? [String: String] == [
                "type": "batch_norm", "name": "x", "version": "1",
            ]
        )
        // No number is given twice.
        #expect(try self.put("x", self.batchNorm).json["version"] as? String == "4")
        #expect(try self.delete("/layers/x") == 204)
        for path in ["/layers/x", "/layers/x/versions/1", "/layers/x/versions/4"] {
            #expect(try self.get(path).problem.code == "unknown_layer")
            #expect(try self.delete(path) == 404)
        }
        #expect(try self.put("x", self.batchNorm).json["version"] as? String == "5")
    }

    @Test(arguments: ["0", "01", "+1", "1.0", "2", "latest", "%31%20", "9223372036854775808"])
    func whatIsNoVersionIsUnknown(version: String) throws {
        try self.put("x", self.batchNorm)
        #expect(try self.get("/layers/x/versions/\(version)").problem.code == "unknown_layer")
        let reference = #"{"name":"x","version":"\#(version)"}"#
        let answer = try self.client.normalize(#"{"layer":\#(reference),"input":[[1,2]]}"#)
        #expect(answer.status == 404)
        #expect(try answer.problem.code == "unknown_layer")
        #expect(try answer.problem.pointer == "/layer")
    }

    @Test(
        arguments: [
            ("/layers?x=1", 422, "unknown_member"), ("/layers/x?parameter=true", 422, "unknown_member"),
            ("/layers/x?parameters", 422, "invalid_value"), ("/layers/x?parameters=1", 422, "invalid_value"),
            ("/layers/x?parameters=true&x", 422, "unknown_member"), ("/layers/y?parameters=true", 404, "unknown_layer"),
        ]
    )
    func queriesAreStrict(path: String, status: Int, code: String) throws {
        try self.put("x", self.batchNorm)
        let answer = try self.get(path)
        #expect(answer.status == status)
        #expect(try answer.problem.code == code)
    }

    @Test func concurrentWritersGetDistinctVersions() async throws {
        let versions = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<64 {
                group.addTask { try self.put("x", self.batchNorm).json["version"] as? String }
            }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(versions == Set((1...64).map { "\($0)" }))
        #expect(try self.get("/layers/x").json["versions"] as? [String] == (1...64).map { "\($0)" })
    }
}
