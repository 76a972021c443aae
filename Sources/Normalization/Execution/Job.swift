import Tensors

/// An input on its way through a layer, in the precision of `Scalar`.
///
/// A class, as are other things that many hold on to: handing it on copies one reference.
final class Job<Scalar: ComputationScalar>: Sendable {
    let input: Tensor

    /// Maybe the same memory as that of the input.
    let output: Tensor

    let kernelSet: KernelSet
    let kernels: Kernels<Scalar>

    /// How many threads may work on it at most.
    let threadCount: Int

    init(_ input: Tensor, _ output: Tensor, _ kernelSet: KernelSet, threadCount: Int) {
        self.input = input
        self.output = output
        self.kernelSet = kernelSet
        self.kernels = Scalar.kernels(of: kernelSet)
        self.threadCount = threadCount
    }

    /// The input's elements, for one thread.
    func makeSource() throws(LayerError) -> ElementSource<Scalar> {
        try ElementSource(self.input, kernels: self.kernels)
    }

    /// The same elements in FP64, for statistics that FP32 cannot hold.
    func makeWideSource() throws(LayerError) -> ElementSource<Double> {
        try ElementSource(self.input, kernels: self.kernelSet.double)
    }

    /// Where the results go, for one thread.
    func makeSink() throws(LayerError) -> ElementSink<Scalar> {
        try ElementSink(self.output, kernels: self.kernels)
    }

    /// The kernels that go from the input's type to the output's without a detour, if there are any.
    var narrowKernels: NarrowKernels<Scalar>? {
        self.input.dataType == self.output.dataType ? self.kernels.narrow[self.input.dataType] : nil
    }

    /// Calls `perform` of some workers with every number below `unitCount` once, on several threads where that is
    /// worth it. Units write different elements, and none depends on another.
    func distribute<Worker: UnitWorker>(
        unitCount: Int,
        _ makeWorker: () throws(LayerError) -> Worker
    ) throws(LayerError) {
        let byteCount = self.input.byteCount + self.output.byteCount
        let useful = min(self.threadCount, unitCount, byteCount / Self.bytesPerThread)
        guard useful > 1 else {
            var worker = try makeWorker()
            for unit in 0..<unitCount {
                worker.perform(unit)
            }
            return
        }
        // All memory is there before the first element is written.
        var workers: [Worker] = []
        for _ in 0..<useful {
            workers.append(try makeWorker())
        }
        Units(count: unitCount).distribute(to: workers)
    }

    /// Less work than this, in bytes read and written, is not worth waking a thread for.
    private static var bytesPerThread: Int { 1 << 20 }
}
