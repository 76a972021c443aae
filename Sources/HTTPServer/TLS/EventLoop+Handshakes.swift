import HTTPCore

extension EventLoop {
    /// What is left of a handshake's time when the server drains.
    private static let drainTime = Duration.seconds(1)

    /// Begins the TLS handshake of a connection that was just accepted.
    ///
    /// - Parameter completion: is called on the queue if the handshake succeeds; if not, the connection is closed.
    func startHandshake(
        _ context: TLSContext,
        over socket: SocketDescriptor,
        as place: ConnectionOccupancy.Place,
        then completion: @escaping @Sendable (Transport) -> Void
    ) {
        guard !self.isStopped else { return self.occupancy.leave(place) }
        guard let session = TLSSession(context, over: socket) else {
            self.metrics.failedHandshakes.add()
            return self.occupancy.leave(place)
        }
        let handshake = Handshake(
            id: self.makeID(),
            place: place,
            socket: socket,
            session: session,
            deadline: .now() + (self.isDraining ? Self.drainTime : self.timeouts.handshake),
            loop: self,
            completion: completion
        )
        self.handshakes[handshake.id] = handshake
        self.startTicking()
        handshake.advance()
    }

    /// A handshake has come to its end, good or bad.
    func ended(_ handshake: Handshake, _ outcome: TLSSession.HandshakeOutcome) {
        self.handshakes.removeValue(forKey: handshake.id)
        if case .done(let isResumed) = outcome {
            (isResumed ? self.metrics.resumedHandshakes : self.metrics.fullHandshakes).add()
            handshake.completion(Transport(handshake.socket, tls: handshake.session))
        } else {
            // What the server's end cuts off is no fault of the client's.
            if !self.isDraining, !self.isStopped { self.metrics.failedHandshakes.add() }
            self.occupancy.leave(handshake.place)
        }
    }

    func tickHandshakes(at now: MonotonicTime) {
        for handshake in Array(self.handshakes.values) {
            if now >= handshake.deadline {
                if !self.isDraining { self.metrics[.handshakeTimeout].add() }
                handshake.end(.failed)
            } else {
                handshake.tick()
            }
        }
    }

    func drainHandshakes() {
        let deadline = MonotonicTime.now() + Self.drainTime
        for handshake in self.handshakes.values { handshake.deadline = min(handshake.deadline, deadline) }
    }

    func abandonHandshakes() {
        for handshake in Array(self.handshakes.values) { handshake.end(.failed) }
    }
}
