import Testing

@testable import Normalization

@Suite struct LayerTypeTests {
    @Test func namesAreUnique() {
        #expect(Set(LayerType.all.map(\.name)).count == LayerType.all.count)
        for type in LayerType.all {
            #expect(Set(type.parameters.map(\.name)).count == type.parameters.count, "\(type.name)")
            #expect(LayerType.named(type.name)?.formula == type.formula)
        }
        #expect(LayerType.named("batchnorm") == nil)
    }

    @Test func everythingIsDescribed() {
        for type in LayerType.all {
            for text in [type.name, type.summary, type.formula, type.source] + type.parameters.map(\.summary) {
                #expect(!text.isEmpty)
            }
        }
    }

    @Test func defaultsAreOfTheirKind() throws {
        for type in LayerType.all {
            for specification in type.parameters {
                switch (specification.kind, specification.defaultValue) {
                case (_, nil), (.real, .real), (.boolean, .boolean), (.integer, .integer), (.realOrWord, .real),
                    (.integerOrNull, .integer):
                    break
                case (.choice(let words), .text(let word)): #expect(words.contains(word))
                default: Issue.record("\(type.name), \(specification.name)")
                }
            }
        }
    }

    /// With one group, group_norm is layer_norm over all but the samples; with as many as channels, instance_norm.
    @Test func groupNormLiesBetweenLayerAndInstanceNorm() throws {
        var generator = SeededGenerator(seed: 5)
        let dimensions = [2, 6, 5, 4]
        let values = (0..<240).map { _ in generator.normal() }
        func apply(
            _ type: any NormalizationLayer.Type,
            _ parameters: [ParameterName: ParameterValue]
        ) throws -> [Double] {
            try type.init(LayerParameters(parameters)).apply(values, dimensions)
        }
        #expect(
            try apply(GroupNorm.self, [.groupCount: .integer(1)])
                == apply(LayerNorm.self, [.normalizedShape: .integers([6, 5, 4])])
        )
        #expect(try apply(GroupNorm.self, [.groupCount: .integer(6)]) == apply(InstanceNorm.self, [:]))
    }
}
