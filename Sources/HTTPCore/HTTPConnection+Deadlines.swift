extension HTTPConnection {
    /// Looks at the clock.
    ///
    /// - Returns: whether something has run out and the next step is due.
    public mutating func tick(at now: MonotonicTime) -> Bool {
        switch self.phase {
        case .head where self.parser.hasBegun:
            // RFC 9110 §15.5.9. The time counts from the first byte; further bytes do not renew it.
            guard now >= self.headBeganAt + self.timeouts.head else { return false }
            self.refuse(.headTimeout)
        case .head:
            // RFC 9112 §9.5: an idle connection is closed without a word.
            guard now >= self.waitingSince + self.patience(self.timeouts.idle) else { return false }
            self.giveUp(.idleTimeout)
        case .content where self.yieldedAt == nil:
            guard now >= self.waitingSince + self.timeouts.bodyGrace else { return false }
            guard self.isTooSlow(at: now) else {
                self.waitingSince = now
                self.bodyBytesInSpan = 0
                return false
            }
            self.refuse(.bodyTimeout)
        case .output, .interimOutput:
            guard now >= self.waitingSince + self.timeouts.writeStall else { return false }
            self.releaseMemory()
            self.giveUp(.writeTimeout)
        case .discard, .linger:
            guard now >= self.waitingSince + self.patience(self.timeouts.linger) else { return false }
            self.giveUp(.lingerTimeout)
        case .admission, .allocation, .content, .dispatch, .answer, .chunk, .refusal, .refusalAnswer,
            .endOfSending, .closed:
            return false
        }
        return true
    }

    /// Closes without a word. Draining is no fault of the client's, and not counted.
    private mutating func giveUp(_ limit: Limit) {
        if !self.isDraining { self.metrics[limit].add() }
        self.phase = .closed
    }

    /// How long a client is waited for that owes nothing.
    private func patience(_ usual: Duration) -> Duration {
        self.isDraining ? min(usual, self.timeouts.drainIdle) : usual
    }

    private func isTooSlow(at now: MonotonicTime) -> Bool {
        let seconds = Double(now.nanoseconds(since: self.waitingSince)) * 1e-9
        return Double(self.bodyBytesInSpan) < seconds * Double(self.timeouts.minimumBodyRate)
    }
}
