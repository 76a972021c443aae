import HTTPTypes
import Normalization
import Testing

@testable import NormalizationService

@Suite struct NormalizeEndpointTests {
    private let client = ServiceClient()
    private let layerNorm = #"{"type":"layer_norm","normalized_shape":2}"#

    @Test func theExampleOfTheContract() throws {
        let answer = try self.client.normalize(
            """
            {"layer": {"type": "batch_norm", "running_mean": [0.5, 1.0], "running_var": [1.0, 4.0],
                       "weight": [1.0, 1.0], "bias": [0.0, 0.0], "eps": 1e-5},
             "input": {"shape": [1, 2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]},
             "output": {"datatype": "FP32"}, "id": "7"}
            """
        )
        #expect(answer.status == 200)
        #expect(answer.fields[.contentType] == "application/json")
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(
            text.hasPrefix(
                #"{"id":"7","layer":{"type":"batch_norm"},"output":{"shape":[1,2,2],"datatype":"FP32","#
                    + #""data":[0.4999975,1.4999925,0.99999875,1.4999981]},"timing":{"receive_us":"#
            )
        )
        #expect(answer.fields[.serverTiming]?.hasPrefix("recv;dur=0.") == true)
    }

    @Test(arguments: [
        (#"[[1,3]]"#, "", "[[-0.999995,0.999995]]"),
        (#"{"shape":[1,2],"data":[1,3]}"#, "", "[-0.999995,0.999995]"),
        (#"{"shape":[1,2],"data":[[1,3]]}"#, "", "[[-0.999995,0.999995]]"),
        (#"[[1,3]]"#, #","output":{"representation":"flat"}"#, "[-0.999995,0.999995]"),
        (#"{"shape":[1,2],"data":[1,3]}"#, #","output":{"representation":"nested"}"#, "[[-0.999995,0.999995]]"),
        (#"[["NaN",NaN]]"#, "", #"[["NaN","NaN"]]"#),
        (#"{"shape":[0,2],"data":[]}"#, "", "[]"),
    ])
    func representations(input: String, output: String, data: String) throws {
        let answer = try self.client.normalize(#"{"layer":\#(self.layerNorm),"input":\#(input)\#(output)}"#)
        #expect(answer.status == 200)
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""data":\#(data)}"#))
    }

    @Test(arguments: [("[[-3]]", "3"), ("[[0,0],[0,0]]", "0"), ("[[1,NaN]]", #""NaN""#)])
    func sigma(input: String, sigma: String) throws {
        let answer = try self.client.normalize(#"{"layer":{"type":"spectral_norm"},"input":\#(input)}"#)
        #expect(answer.status == 200)
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(text.hasPrefix(#"{"layer":{"type":"spectral_norm","sigma":\#(sigma)},"output":"#))
    }

    @Test(
        arguments: [
            ("FP64", nil, "FP64"), ("UINT8", nil, "FP32"), ("FP16", nil, "FP16"), ("BF16", nil, "BF16"),
            ("INT64", "FP64", "FP64"), ("FP64", "FP16", "FP16"),
        ] as [(String, String?, String)]
    )
    func outputTypes(input: String, asked: String?, expected: String) throws {
        let output = asked.map { #","output":{"datatype":"\#($0)"}"# } ?? ""
        let answer = try self.client.normalize(
            #"{"layer":\#(self.layerNorm),"input":{"shape":[1,2],"datatype":"\#(input)","data":[1,3]}\#(output)}"#
        )
        #expect(try answer.output("datatype") as? String == expected)
        #expect(try answer.data.map { $0.rounded() } == [-1, 1])
    }

    @Test func binaryInBinaryOut() throws {
        let json =
            #"{"layer":\#(self.layerNorm),"input":{"shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}}"#
        let answer = try self.client.normalize(json, blobs: bytes([1, 3] as [Float]))
        #expect(answer.status == 200)
        #expect(answer.fields[.contentType] == "application/octet-stream")
        #expect(try (answer.output("parameters") as? [String: Int]) == ["binary_data_size": 8])
        #expect(answer.blob == bytes([-0.999995, 0.999995] as [Float]))
    }

    @Test func parametersMayBeBlobsBeforeAndAfterTheInput() throws {
        let blob = { (size: Int) in #""parameters":{"binary_data_size":\#(size)}"# }
        let json = """
            {"layer":{"type":"batch_norm","running_mean":{"shape":[2],"datatype":"FP16",\(blob(4))},
            "running_var":[1,1],"eps":0},"input":{"shape":[1,2],"datatype":"FP64",\(blob(16))}}
            """
        let answer = try self.client.normalize(json, blobs: bytes([0.5, 1] as [Float16]) + bytes([1, 2] as [Double]))
        #expect(answer.blob == bytes([0.5, 1] as [Double]))
        let swapped = """
            {"input":{"shape":[1,2],"datatype":"FP64",\(blob(16))},"layer":{"type":"batch_norm",
            "running_mean":{"shape":[2],"datatype":"FP16",\(blob(4))},"running_var":[1,1],"eps":0}}
            """
        let second = try self.client.normalize(
            swapped,
            blobs: bytes([1, 2] as [Double]) + bytes([0.5, 1] as [Float16])
        )
        #expect(second.blob == bytes([0.5, 1] as [Double]))
    }

    @Test func acceptChoosesTheOtherRepresentation() throws {
        let json = #"{"layer":\#(self.layerNorm),"input":[[1,3]]}"#
        let binary = try self.client.send(
            .post,
            "/normalize",
            [.accept: "application/octet-stream"],
            body: Array(json.utf8)
        )
        #expect(binary.blob == bytes([-0.999995, 0.999995] as [Float]))
        let text = try self.client.normalize(json, blobs: [], [.accept: "application/json"])
        #expect(text.fields[.inferenceHeaderContentLength] == nil)
        #expect(String(decoding: text.body, as: UTF8.self).contains("[[-0.999995,0.999995]]"))
    }

    @Test(
        arguments: [
            (
                #"{"layer":{"type":"group_norm","num_groups":3},"input":{"shape":[1,4,1],"data":[1,2,3,4]}}"#, 422,
                "invalid_parameter", "/layer/num_groups", "num_groups is 3, which does not divide the 4 channels"
            ),
            (
                #"{"layer":{"type":"batch_norm","running_mean":[1,2,3],"running_var":[1,1,1]},"input":[[1,2]]}"#, 422,
                "shape_mismatch", "/layer/running_mean",
                "running_mean has 3 elements; the input has 2 channels on axis 1"
            ),
            (
                #"{"layer":{"type":"batch_norm","runing_mean":[1]},"input":[[1]]}"#, 422, "unknown_member",
                "/layer/runing_mean", "unknown member 'runing_mean' in /layer"
            ),
            (
                #"{"layer":{"type":"batch_norm"},"input":[[1]]}"#, 422, "missing_parameter", "/layer",
                "running_mean or use_batch_statistics is required"
            ),
            (
                #"{"layer":{"type":"batchnorm"},"input":[[1]]}"#, 422, "unknown_layer_type", "/layer/type",
                "the layer type is 'batchnorm'; it must be one of \(LayerType.all.map(\.name).joined(separator: ", "))"
            ),
            (#"{"layer":"bn1","input":[[1]]}"#, 404, "unknown_layer", "/layer", "no layer of this name is registered"),
            (
                #"{"layer":{"version":"2","name":"bn1"},"input":[[1]]}"#, 404, "unknown_layer", "/layer",
                "no layer of this name is registered"
            ),
            (#"{"layer":{"eps":1},"input":[[1]]}"#, 422, "missing_member", "/layer", "/layer has no member 'type'"),
            (#"{"layer":{},"input":[[1]]}"#, 422, "missing_member", "/layer", "/layer has no member 'type'"),
            (#"{"input":[[1]]}"#, 422, "missing_member", "", "the JSON text has no member 'layer'"),
            (
                #"{"layer":{"type":"rms_norm","axis":-1}}"#, 422, "missing_member", "",
                "the JSON text has no member 'input'"
            ),
            (
                #"{"layer":{"type":"rms_norm","axis":-1},"input":[[1]],"outputs":{}}"#, 422, "unknown_member",
                "/outputs",
                "unknown member 'outputs'"
            ),
            (
                #"{"layer":{"type":"rms_norm","axis":-1},"input":[[1]],"output":{"datatype":"INT8"}}"#, 422,
                "unsupported_datatype", "/output/datatype",
                "the output cannot be INT8; it must be FP16, BF16, FP32 or FP64"
            ),
            (
                #"{"layer":{"type":"rms_norm","axis":-1},"input":[[1]],"output":{"representation":"deep"}}"#, 422,
                "invalid_value", "/output/representation",
                "/output/representation is 'deep'; it must be flat or nested"
            ),
            (
                #"{"layer":{"type":"rms_norm","axis":-1},"input":[[1]],"id":7}"#, 422, "wrong_type", "/id",
                "/id is a number; it must be a string"
            ),
            (
                #"{"layer":{"type":"rms_norm","axis":-1},"input":{"shape":[2],"data":[1]}}"#, 422, "invalid_data",
                "/input/data", "/input/data has 1 element; the shape [2] needs 2"
            ),
            (#"{"layer":{"type":"rms_norm","axis":-1},"input":[1,,2]}"#, 400, "invalid_json", "/input/1", nil),
            (#"{"layer":"#, 400, "invalid_json", nil, "the JSON ends at byte 9, within a value"),
            ("", 400, "invalid_json", nil, "the JSON ends at byte 0, within a value"),
        ] as [(String, Int, String, String?, String?)]
    )
    func refusals(json: String, status: Int, code: String, pointer: String?, detail: String?) throws {
        let answer = try self.client.normalize(json)
        let problem = try answer.problem
        #expect(answer.status == status)
        #expect(answer.fields[.contentType] == "application/problem+json")
        #expect(problem.code == code)
        #expect(problem.pointer == pointer)
        if let detail {
            #expect(problem.detail == detail)
        }
        #expect(try answer.json["error"] as? String == problem.detail)
        #expect(try answer.json["status"] as? Int == status)
    }

    @Test(
        "What is not JSON is 400, whatever else is wrong with it",
        arguments: [
            "nope", #"{"layer": nope}"#, #"{"layer": 01}"#, #"{"layer": {}} x"#, #"{"input": [1 2]}"#,
            #"{"layer":{"type":"rms_norm","axis":-1},"input":{"shape":[4],"data":[1,2,3,4,]}}"#,
            #"{"layer":"bn1","input":[1,}"#, #"{"layer":{"type":"none","x":+1},"input":[1]}"#,
        ]
    )
    func syntaxComesFirst(json: String) throws {
        let answer = try self.client.normalize(json)
        #expect(answer.status == 400)
        #expect(try answer.problem.code == "invalid_json")
    }

    @Test func aTypeThatComesLastIsFound() throws {
        let answer = try self.client.normalize(#"{"input":[[1,3]],"layer":{"eps":0,"axis":-1,"type":"layer_norm"}}"#)
        #expect(String(decoding: answer.body, as: UTF8.self).contains("[[-1,1]]"))
    }

    @Test(
        "A tensor that several threads share comes back the same, bit for bit",
        arguments: [#"{"type":"layer_norm","axis":-1}"#, #"{"type":"group_norm","num_groups":2}"#]
    )
    func theThreadCountChangesNoBit(layer: String) throws {
        let (channels, positions) = (4, 1 << 18)
        let blob = bytes((0..<channels * positions).map { Float($0 &* 7919 % 1009) + 0.1 })
        let json = """
            {"layer":\(layer),"input":{"shape":[1,\(channels),\(positions)],"parameters":{"binary_data_size":\(blob.count)}}}
            """
        let answers = try [1, 2, 7].map { try ServiceClient(threadCount: $0).normalize(json, blobs: blob) }
        for answer in answers {
            #expect(answer.status == 200)
            #expect(answer.blob == answers[0].blob)
        }
        #expect(answers[0].blob != blob)
    }

    @Test func anUnknownTypeIsNamedBeforeItsBlobsAreMissed() throws {
        let json = """
            {"layer":{"type":"batchnorm","weight":{"shape":[2],"parameters":{"binary_data_size":8}}},
            "input":{"shape":[2,2],"parameters":{"binary_data_size":16}}}
            """
        let answer = try self.client.normalize(json, blobs: [UInt8](repeating: 0, count: 24))
        #expect(answer.status == 422)
        #expect(try answer.problem.code == "unknown_layer_type")
        #expect(try answer.problem.pointer == "/layer/type")
    }

    @Test(
        "A refusal is short, whatever the client sent, and carries its timing",
        arguments: [
            #"{"layer":{"type":"%"},"input":[1]}"#, #"{"%":1}"#, #"{"layer":{"type":"layer_norm","%":1},"input":[1]}"#,
            #"{"layer":{"type":"batch_norm","data_format":"%"},"input":[1]}"#,
            #"{"layer":{"type":"rms_norm","axis":0},"input":{"data":[1],"datatype":"%"}}"#,
        ]
    )
    func refusalsAreShort(json: String) throws {
        for text in [String(repeating: "x", count: 100_000), "a" + String(repeating: "\u{301}\u{323}", count: 50_000)] {
            let answer = try self.client.normalize(json.replacing("%", with: text))
            #expect(answer.status == 422)
            #expect(answer.body.count < 4096)
            #expect(answer.fields[.serverTiming] != nil)
        }
    }

    @Test func aListOfDimensionsIsBounded() throws {
        let list = String(repeating: "1,", count: 100_000)
        let answer = try self.client.normalize(
            #"{"layer":{"type":"layer_norm","normalized_shape":[\#(list)1]},"input":[1]}"#
        )
        #expect(answer.status == 422)
        #expect(answer.body.count < 4096)
    }

    @Test(
        "A tensor of too many elements is refused, however they are counted",
        arguments: [
            (#""input":[1,2,3,4,5]"#, "/input", 5), (#""input":[[1,2],[3,4],[5,6]]"#, "/input", 6),
            (#""input":{"data":[1,2,3,4,5]}"#, "/input/data", 5),
            (#""input":{"shape":[5],"data":[1,2,3,4,5]}"#, "/input/shape", 5),
            (#""input":{"shape":[5,1],"data":[1]}"#, "/input/shape", 5),
            (#""input":{"shape":[1,9223372036854775807],"data":[1]}"#, "/input/shape", .max),
            (#""input":{"shape":[5],"parameters":{"binary_data_size":20}}"#, "/input/shape", 5),
            (#""input":[[1,2]],"layer":{"type":"rms_norm","axis":-1,"weight":[1,2,3,4,5]}"#, "/layer/weight", 5),
            (
                #""input":[[1,2]],"layer":{"type":"rms_norm","axis":-1,"weight":{"shape":[5],"data":[1]}}"#,
                "/layer/weight/shape", 5
            ),
        ] as [(String, String, Int)]
    )
    func tooManyElements(members: String, pointer: String, count: Int) throws {
        var client = ServiceClient()
        client.maximumElementCount = 4
        let layer = members.contains("layer") ? "" : #","layer":{"type":"rms_norm","axis":-1}"#
        let blobs = [UInt8](repeating: 0, count: members.contains("binary") ? 20 : 0)
        let answer = try client.normalize("{\(members)\(layer)}", blobs: blobs)
        #expect(answer.status == 422)
        let problem = try answer.problem
        #expect(problem.code == "too_many_elements")
        #expect(problem.pointer == pointer)
        #expect(problem.detail == "\(pointer) makes a tensor of \(count) elements; at most 4 are allowed")
        client.maximumElementCount = 6
        if count <= 6, !members.contains(#""data":[1]"#), !members.contains("weight") {
            #expect(try client.normalize("{\(members)\(layer)}", blobs: blobs).status == 200)
        }
    }

    @Test func aShapeThatCannotBeCountedHasTooManyElements() throws {
        let input = #"{"shape":[4294967296,4294967296],"data":[1]}"#
        let answer = try self.client.normalize(#"{"layer":\#(self.layerNorm),"input":\#(input)}"#)
        #expect(answer.status == 422)
        #expect(try answer.problem.code == "too_many_elements")
        #expect(try answer.problem.pointer == "/input/shape")
    }

    @Test func nullIsAnAbsentTensor() throws {
        let answer = try self.client.normalize(
            #"{"input":[[1,3]],"layer":{"type":"layer_norm","axis":-1,"weight":null,"bias":null,"eps":0}}"#
        )
        #expect(String(decoding: answer.body, as: UTF8.self).contains("[[-1,1]]"))
    }

    @Test(arguments: [
        (9, [] as [UInt8], "invalid_json"), (1000, [], "invalid_binary_framing"), (nil, [0], "invalid_binary_framing"),
    ])
    func framingsThatDoNotFit(count: Int?, blobs: [UInt8], code: String) throws {
        let json = #"{"layer":\#(self.layerNorm),"input":[[1,3]]}"#
        let fields: HTTPFields = [.inferenceHeaderContentLength: "\(count ?? json.utf8.count)"]
        let answer = try self.client.send(.post, "/normalize", fields, body: Array(json.utf8) + blobs)
        #expect(answer.status == 400)
        #expect(try answer.problem.code == code)
    }

    private func bytes<Element: BitwiseCopyable>(_ elements: [Element]) -> [UInt8] {
        elements.withUnsafeBytes(Array.init)
    }
}
