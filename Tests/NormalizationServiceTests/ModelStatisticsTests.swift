import Foundation
import Testing

@testable import NormalizationService

@Suite struct ModelStatisticsTests {
    private let timing = Timing(receive: 100, queue: 2, decode: 3, compute: 5, encode: 7, total: 120)

    @Test func whatIsAnsweredWellIsCountedByStage() {
        let statistics = ModelStatistics()
        for (second, samples) in [(2.0, 4), (1, 0), (1, 4)] {
            statistics.countSuccess(self.timing, sampleCount: samples, at: Date(timeIntervalSince1970: second))
        }
        let counts = statistics.counts
        #expect(counts.sampleCount == 8)
        #expect(counts.lastInference == 2000)
        #expect((counts.success.count, counts.success.nanoseconds) == (3, 60))
        #expect((counts.queue.count, counts.queue.nanoseconds) == (3, 6))
        #expect((counts.stages.input.count, counts.stages.input.nanoseconds) == (3, 9))
        #expect((counts.stages.inference.count, counts.stages.inference.nanoseconds) == (3, 15))
        #expect((counts.stages.output.count, counts.stages.output.nanoseconds) == (3, 21))
        #expect(counts.batches.mapValues(\.inference.count) == [4: 2, 0: 1])
        #expect(counts.failure == ModelStatistics.Total())
    }

    @Test func failuresAreCountedApart() {
        let statistics = ModelStatistics()
        statistics.countFailure(self.timing)
        let counts = statistics.counts
        #expect((counts.failure.count, counts.failure.nanoseconds) == (1, 20))
        #expect(counts.success.count == 0)
        #expect(counts.lastInference == 0)
    }

    @Test func moreThanSoManyBatchSizesAreNotToldApart() {
        let statistics = ModelStatistics()
        for size in 1...100 {
            statistics.countSuccess(self.timing, sampleCount: size)
            statistics.countSuccess(self.timing, sampleCount: 1)
        }
        #expect(Set(statistics.counts.batches.keys) == Set(1...64))
        #expect(statistics.counts.batches[1]?.input.count == 101)
        #expect(statistics.counts.success.count == 200)
    }

    @Test func aClockBefore1970IsNoTrap() {
        let statistics = ModelStatistics()
        statistics.countSuccess(self.timing, sampleCount: 1, at: Date(timeIntervalSince1970: -5))
        #expect(statistics.counts.lastInference == 0)
    }
}
