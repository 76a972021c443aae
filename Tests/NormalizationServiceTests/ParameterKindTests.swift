import Testing

@testable import NormalizationService

/// Parameters that may be of more than one kind, as JSON has them.
@Suite struct ParameterKindTests {
    private let client = ServiceClient()

    private func normalize(_ layer: String) throws -> Answer {
        try self.client.normalize(#"{"layer":\#(layer),"input":{"shape":[1,2],"datatype":"FP64","data":[3,-4]}}"#)
    }

    @Test(arguments: [("2", 5), ("2.0", 5), ("1", 7), (#""inf""#, 4), ("Infinity", 4), (#""Infinity""#, 4)])
    func numberOrWord(p: String, norm: Double) throws {
        let results = try self.normalize(#"{"type":"lp_norm","p":\#(p)}"#).data
        #expect(results.count == 2)
        #expect((results[0] - 3 / norm).magnitude < 1e-15)
        #expect((results[1] + 4 / norm).magnitude < 1e-15)
    }

    @Test(arguments: [
        ("3", "invalid_parameter"), ("NaN", "invalid_parameter"), (#""-Infinity""#, "invalid_parameter"),
        (#""max""#, "invalid_value"), (#""2""#, "invalid_value"), ("null", "wrong_type"), ("true", "wrong_type"),
        ("[2]", "wrong_type"),
    ])
    func neitherNumberNorWord(p: String, code: String) throws {
        let answer = try self.normalize(#"{"type":"lp_norm","p":\#(p)}"#)
        #expect(answer.status == 422)
        let problem = try answer.problem
        #expect(problem.code == code)
        #expect(problem.pointer == "/layer/p")
        #expect(problem.detail?.contains("inf") == true)
    }

    @Test(arguments: [("null", "[10]", 6), ("0", "[10]", 6), ("1", "[1,1]", 1), ("-1", "[1,1]", 1)])
    func integerOrNull(dim: String, lengths: String, first: Double) throws {
        let results = try self.normalize(#"{"type":"weight_norm","dim":\#(dim),"weight_g":\#(lengths)}"#).data
        #expect((results[0] - first).magnitude < 1e-14)
    }

    @Test(arguments: [#""0""#, "[0]", "true", "0.5", "{}"])
    func neitherIntegerNorNull(dim: String) throws {
        let answer = try self.normalize(#"{"type":"weight_norm","dim":\#(dim),"weight_g":[1]}"#)
        #expect(answer.status == 422)
        #expect(try answer.problem.code == "wrong_type")
        #expect(try answer.problem.pointer == "/layer/dim")
    }

    /// As None in Python: the tensor is absent, which the parameter itself may not be.
    @Test func nullTensorsAreAbsent() throws {
        let answer = try self.normalize(#"{"type":"weight_norm","weight_g":null}"#)
        #expect(try answer.problem.code == "missing_parameter")
        #expect(try self.normalize(#"{"type":"weight_standardization","gain":null}"#).status == 200)
    }
}
