import Foundation
import Normalization

/// Answers requests one after the other; keeps the last layer, because it is mostly the next.
struct Session {
    private var loaded: LoadedCase?

    mutating func answer(_ request: Request) throws -> Answer {
        let threadCount = request.threads ?? 1
        let stopwatch = Stopwatch(seconds: request.seconds ?? 0.2)
        switch request.command {
        case .describe:
            return Answer(instructionSet: InstructionSet.current.rawValue)
        case .measure:
            let layer = try self.load(request.layerCase)
            let best = try stopwatch.shortestCall(restore: layer.restore) {
                try layer.normalize(threadCount: threadCount)
            }
            return Answer(nanoseconds: best.nanoseconds, calls: best.calls)
        case .normalize:
            guard let path = request.output else { throw Mistake("the request has no output") }
            let layer = try self.load(request.layerCase)
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

    private mutating func load(_ wanted: LayerCase?) throws -> LoadedCase {
        guard let wanted else { throw Mistake("the request has no case") }
        if let loaded = self.loaded, loaded.source == wanted { return loaded }
        // The memory of the last one goes first.
        self.loaded = nil
        let made = try LoadedCase(wanted)
        self.loaded = made
        return made
    }
}
