import Foundation
import Normalization

/// Answers requests one after the other; keeps the layer that was prepared last.
struct Session {
    private var prepared: LoadedCase?

    mutating func answer(_ request: Request) throws -> Answer {
        let threadCount = request.threads ?? 1
        let stopwatch = Stopwatch(seconds: request.seconds ?? 0.2)
        switch request.command {
        case .describe:
            return Answer(instructionSet: InstructionSet.current.rawValue)
        case .prepare:
            guard let layerCase = request.layerCase else { throw Mistake("the request has no case") }
            // The memory of the last one goes first.
            self.prepared = nil
            self.prepared = try LoadedCase(layerCase)
            return Answer()
        case .measure:
            let layer = try self.layer()
            let best = try stopwatch.shortestCall(restore: layer.restore) {
                try layer.normalize(threadCount: threadCount)
            }
            return Answer(nanoseconds: best.nanoseconds, calls: best.calls)
        case .normalize:
            guard let path = request.output else { throw Mistake("the request has no output") }
            let layer = try self.layer()
            layer.restore()
            let output = try layer.normalize(threadCount: threadCount)
            try Data(output.bytes).write(to: URL(fileURLWithPath: path))
            return Answer()
        case .copy:
            let copier = try Copier(byteCount: request.bytes ?? 0, threadCount: threadCount)
            defer { copier.dismiss() }
            let best = stopwatch.shortestCall { copier.copy() }
            return Answer(nanoseconds: best.nanoseconds, calls: best.calls)
        }
    }

    private func layer() throws -> LoadedCase {
        guard let prepared = self.prepared else { throw Mistake("nothing is prepared") }
        return prepared
    }
}
