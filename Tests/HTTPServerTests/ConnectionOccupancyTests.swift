import Testing

@testable import HTTPServer

@Suite("The number of connections")
struct ConnectionOccupancyTests {
    @Test("Up to the limit they are served, a few more are told, the rest is dropped")
    func limits() {
        let occupancy = ConnectionOccupancy(limit: 2)
        let admissions = (0..<67).map { _ in occupancy.enter() }
        #expect(admissions == [.serve, .serve] + Array(repeating: .refuse, count: 64) + [.drop])
        #expect(occupancy.current == 66)
        #expect(!occupancy.waitUntilEmpty(.now()))
        // Those that linger after a refusal take no room from those that could be served.
        occupancy.leave(.serve)
        #expect(occupancy.enter() == .serve)
        #expect(occupancy.enter() == .drop)
        for admission in admissions where admission != .drop { occupancy.leave(admission) }
        #expect(occupancy.current == 0)
        #expect(occupancy.waitUntilEmpty(.now()))
    }
}
