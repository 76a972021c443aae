import Tensors

/// One normalization on its way, in the precision of `Scalar`.
struct Execution<Scalar: ComputationScalar> {
    let plan: NormalizationPlan
    let inputType: DataType
    let kernelSet: KernelSet
    let kernels: Kernels<Scalar>
    let sink: ElementSink<Scalar>
    var source: ElementSource<Scalar>

    /// The same elements in FP64, for statistics that FP32 cannot hold.
    var wideSource: ElementSource<Double>

    init(_ plan: NormalizationPlan, _ input: Tensor, _ output: Tensor, _ kernelSet: KernelSet) throws(LayerError) {
        self.plan = plan
        self.inputType = input.dataType
        self.kernelSet = kernelSet
        self.kernels = Scalar.kernels(of: kernelSet)
        self.source = try ElementSource(input, kernels: self.kernels)
        self.wideSource = try ElementSource(input, kernels: kernelSet.double)
        self.sink = try ElementSink(output, kernels: self.kernels)
    }

    /// Allocates what it needs, then writes the output.
    mutating func run() throws(LayerError) {
        switch self.plan.computation {
        case .frozen(let layout, let statistics):
            try self.normalizeFrozen(layout, statistics)
        case .withoutSpread(let layout):
            try self.normalizeWithoutSpread(layout)
        case .grouped(let layout, let groups):
            try self.normalizeGroups(layout, groups)
        case .rows(let layout):
            try self.normalizeRows(layout)
        }
    }

    /// How many elements source and sink take at once.
    var chunkLength: Int { min(self.source.chunkLength, self.sink.chunkLength) }
}
