/// Measures the shortest time that a call takes: what others do on the machine only ever makes it longer.
struct Stopwatch {
    let seconds: Double

    /// How long calls that are too short for the clock are to take together.
    private static let shortestSpan = 100_000.0

    /// How many calls may work on each other's output before `restore`: few enough that nothing in it has vanished.
    private static let callsUntilRestored = 32

    /// The shortest call in nanoseconds, and how many calls there were. What `restore` takes is not counted.
    func shortestCall(
        restore: () -> Void = {},
        _ call: () throws -> Void
    ) rethrows -> (nanoseconds: Double, calls: Int) {
        let clock = ContinuousClock()
        func nanoseconds(of calls: Int) throws -> Double {
            let start = clock.now
            for _ in 0..<calls {
                try call()
            }
            return (clock.now - start) / .nanoseconds(1)
        }

        // The first call pays for page faults and for what is set up once.
        _ = try nanoseconds(of: 1)
        let estimate = try min(nanoseconds(of: 1), nanoseconds(of: 1), nanoseconds(of: 1))
        let callsPerSpan = min(Self.callsUntilRestored, max(1, Int(Self.shortestSpan / max(estimate, 1))))
        let end = clock.now + .seconds(self.seconds)
        var shortest = Double.infinity
        var calls = 0
        var age = Self.callsUntilRestored
        repeat {
            if age + callsPerSpan > Self.callsUntilRestored {
                restore()
                // The caches are to hold what a call leaves in them and not what the restoration does.
                try call()
                age = 0
            }
            shortest = min(shortest, try nanoseconds(of: callsPerSpan) / Double(callsPerSpan))
            age += callsPerSpan
            calls += callsPerSpan
        } while clock.now < end
        return (shortest, calls)
    }
}
