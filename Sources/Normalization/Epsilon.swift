import Tensors

/// What keeps the division by a standard deviation from zero.
struct Epsilon: Sendable {
    /// Where eps is added.
    enum Placement: String, CaseIterable, Sendable {
        /// sqrt(Var + eps)
        case variance
        /// sqrt(Var) + eps
        case standardDeviation = "std"
    }

    let value: Double
    let placement: Placement

    init(_ value: Double, placement: Placement) throws(LayerError) {
        guard value >= 0, value.isFinite else { throw .invalidEpsilon(value) }
        self.value = value
        self.placement = placement
    }

    /// The machine epsilon of FP64 for FP64 input, of FP32 for any other, as torch.nn.RMSNorm has it.
    static func ofMachine(for dataType: DataType) -> Self {
        Self(unchecked: dataType == .fp64 ? Double.ulpOfOne : Double(Float.ulpOfOne))
    }

    private init(unchecked value: Double) {
        self.value = value
        self.placement = .variance
    }

    /// What is added to the variance.
    var varianceTerm: Double { self.placement == .variance ? self.value : 0 }

    /// What is added to its root.
    var deviationTerm: Double { self.placement == .variance ? 0 : self.value }

    /// What the differences from the mean are multiplied by. Zero where variance and eps are both zero: the
    /// differences are zero then, and so is the result.
    func scale(variance: Double) -> Double {
        let deviation = self.deviation(variance: variance)
        return deviation == 0 ? 0 : 1 / deviation
    }

    /// What the differences from the mean are divided by.
    func deviation(variance: Double) -> Double {
        (variance + self.varianceTerm).squareRoot() + self.deviationTerm
    }
}

extension LayerParameters {
    /// eps and epsilon_placement, whose defaults are in place.
    func epsilon() throws(LayerError) -> Epsilon {
        try self.epsilon(placed: try self.choice(.epsilonPlacement, of: Epsilon.Placement.self) ?? .variance)
    }

    /// eps, whose default is in place, of a layer that adds it in one place only.
    func epsilon(placed placement: Epsilon.Placement) throws(LayerError) -> Epsilon {
        guard let value = try self.real(.epsilon) else { throw .missingParameter(.epsilon) }
        return try Epsilon(value, placement: placement)
    }
}
