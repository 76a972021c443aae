import Normalization
import TensorFormats
import Tensors

/// Which of a checkpoint's tensors make normalization layers, told by its header alone.
///
/// What cannot be told is reported and left out, never guessed: a layer of the wrong type would give wrong numbers
/// without a word.
struct CheckpointPlan {
    struct Layer {
        let name: LayerName
        let type: LayerType
        var values: [ParameterName: ParameterValue]
        let tensors: [(name: ParameterName, entry: SafetensorsEntry)]
    }

    private(set) var layers: [Layer] = []

    /// Modules that seem to normalize, but do not say how.
    private(set) var faults: [LayerFault] = []

    private let rules: CheckpointRules
    private var usedRules: Set<Int> = []

    private let surroundings: CheckpointSurroundings

    init(_ entries: [SafetensorsEntry], _ rules: CheckpointRules) {
        self.rules = rules
        let groups = CheckpointGroup.all(of: entries)
        self.surroundings = CheckpointSurroundings(groups)
        for group in groups {
            self.plan(group)
        }
        for (index, rule) in rules.rules.enumerated() where !self.usedRules.contains(index) {
            self.faults.append(LayerFault(layer: rule.pattern, reason: "this rule applies to no layer"))
        }
    }

    private mutating func plan(_ group: CheckpointGroup) {
        let found = self.rules.rule(for: group.name)
        let guess = CheckpointGuess(group, in: self.surroundings)
        let type: LayerType
        switch (found?.rule.type, guess) {
        case (let stated?, _): type = stated
        case (nil, .layer(let guessed, _)): type = guessed
        case (nil, .unclear(let reason)):
            found.map { _ = self.usedRules.insert($0.index) }
            if found?.rule.isSkipped != true {
                self.faults.append(LayerFault(layer: group.name, reason: reason))
            }
            return
        case (nil, .noLayer): return
        }
        found.map { _ = self.usedRules.insert($0.index) }
        guard found?.rule.isSkipped != true else { return }
        guard let name = LayerName(group.name) else {
            let reason = group.name.isEmpty ? "its tensors have no key prefix" : LayerName.rule
            self.faults.append(LayerFault(layer: group.name, reason: reason))
            return
        }
        var values: [ParameterName: ParameterValue] = [:]
        if found?.rule.type == nil, case .layer(_, let guessed) = guess {
            values = guessed
        }
        for (name, value) in found?.rule.values ?? [:] where type[name] != nil {
            values[name] = value
        }
        self.add(name, type, group, values)
    }

    private mutating func add(
        _ name: LayerName,
        _ type: LayerType,
        _ group: CheckpointGroup,
        _ values: [ParameterName: ParameterValue]
    ) {
        guard !group.isContradictory else {
            self.faults.append(LayerFault(layer: name.text, reason: "two of its tensors mean the same parameter"))
            return
        }
        var tensors: [(name: ParameterName, entry: SafetensorsEntry)] = []
        for (leaf, entry) in group.tensors.sorted(by: { $0.key < $1.key }) {
            guard let parameter = type[ParameterName(rawValue: leaf.asWord)],
                parameter.kind == .tensor || parameter.kind == .realOrTensor
            else {
                let reason = "it has a tensor '\(leaf.asWord)', which \(type.name) does not know"
                self.faults.append(LayerFault(layer: name.text, reason: reason))
                return
            }
            tensors.append((parameter.name, entry))
        }
        var layer = Layer(name: name, type: type, values: values, tensors: tensors)
        if type[.normalizedShape] != nil, values[.normalizedShape] == nil, values[.axis] == nil {
            guard let weight = group.tensors["weight"], weight.shape.rank > 0 else {
                self.faults.append(
                    LayerFault(layer: name.text, reason: "it has no weight to tell its normalized_shape by")
                )
                return
            }
            layer.values[.normalizedShape] = .integers(weight.shape.dimensions)
        }
        self.layers.append(layer)
    }
}
