import TensorFormats
import Tensors
import Testing

@testable import NormalizationService

/// What is told by names and shapes; the end-to-end tests have more of them, and real models.
@Suite struct CheckpointPlanTests {
    private func plan(_ tensors: [(String, [Int])], _ rules: String = #"{"rules":[]}"#) throws -> CheckpointPlan {
        let written = try tensors.map { name, shape in
            (name: name, tensor: try Tensor(uninitialized: .fp32, shape: Shape(shape)))
        }
        let writer = SafetensorsWriter(written)
        let file = writer.header + writer.tensors.flatMap { Array($0.bytes) }
        let header = try file.withUnsafeBytes { try SafetensorsHeader($0) }
        return CheckpointPlan(header.entries, try CheckpointRules(file: Array(rules.utf8)))
    }

    @Test func aLayerNormByItsName() throws {
        let plan = try self.plan([
            ("a.LayerNorm.gamma", [2, 3]), ("a.LayerNorm.beta", [2, 3]), ("a.dense.weight", [3, 3]),
        ])
        let layer = try #require(plan.layers.first)
        #expect(plan.layers.count == 1 && plan.faults.isEmpty)
        #expect(layer.name.text == "a.LayerNorm")
        #expect(layer.type.name == "layer_norm")
        #expect(layer.tensors.map(\.name) == [.bias, .weight])
        #expect(layer.tensors.map(\.entry.name) == ["a.LayerNorm.beta", "a.LayerNorm.gamma"])
        guard case .integers([2, 3]) = layer.values[.normalizedShape] else {
            Issue.record("normalized_shape is that of the weight")
            return
        }
    }

    @Test(
        "A name that is none, a tensor without a module, and hostile names are reported",
        arguments: [
            "weight", "é.LayerNorm.weight", ".LayerNorm.weight", "a/b.LayerNorm.weight", "a b.LayerNorm.weight",
            String(repeating: "n", count: 129) + ".LayerNorm.weight",
        ]
    )
    func namesThatAreNone(name: String) throws {
        let bias = name.replacing("weight", with: "bias")
        let plan = try self.plan([(name, [4]), (bias, [4])], #"{"rules":[{"pattern":"*","type":"layer_norm"}]}"#)
        #expect(plan.layers.isEmpty)
        #expect(plan.faults.count == 1)
    }

    @Test func theFirstRuleThatMatchesApplies() throws {
        let rules = #"""
            {"rules":[{"pattern":"a.*","type":"group_norm","num_groups":2},{"pattern":"*","type":"rms_norm","eps":1},
            {"pattern":"a.b"}]}
            """#
        let plan = try self.plan([("a.b.weight", [4]), ("c.d.weight", [4])], rules)
        #expect(plan.layers.map(\.type.name) == ["group_norm", "rms_norm"])
        #expect(plan.faults == [LayerFault(layer: "a.b", reason: "this rule applies to no layer")])
    }

    @Test func aScalarWeightIsNoNorm() throws {
        let plan = try self.plan([("a.LayerNorm.weight", []), ("a.LayerNorm.bias", [])])
        #expect(plan.layers.isEmpty)
    }

    @Test func namesOfManyCombiningMarksTakeNoTime() throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 20_000)
        let plan = try self.plan((0..<20).map { ("a\(marks).\($0).weight", [4]) })
        #expect(plan.layers.isEmpty)
    }
}
