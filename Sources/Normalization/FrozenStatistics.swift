/// Statistics of each channel that were collected before.
struct FrozenStatistics: Sendable {
    let mean: Parameter
    let variance: Parameter
    let epsilon: Epsilon

    /// From running_mean, running_var and eps.
    init(_ parameters: LayerParameters) throws(LayerError) {
        self.mean = try parameters.required(.runningMean)
        self.variance = try parameters.required(.runningVar)
        self.epsilon = try parameters.epsilon()
        try self.variance.checkVariances(self.epsilon)
    }
}
