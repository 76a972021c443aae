import AlignedMemory
import Glibc
import HTTPCore
import Testing

@testable import HTTPServer

@Suite("The number of connections")
struct ConnectionOccupancyTests {
    private let metrics = HTTPMetrics(memory: MemoryBudget(limit: 0))

    private func occupancy(_ limit: Int, perAddress: Int = 0) -> ConnectionOccupancy {
        ConnectionOccupancy(limit: limit, limitPerAddress: perAddress, metrics: self.metrics)
    }

    @Test("Up to the limit they are served, a few more are told, the rest is dropped", arguments: [false, true])
    func limits(isSecure: Bool) {
        let occupancy = self.occupancy(2)
        let places = (0..<67).map { _ in occupancy.enter(from: .ipv4(1), isSecure: isSecure) }
        #expect(places == [.served(.ipv4(1)), .served(.ipv4(1))] + Array(repeating: .refused, count: 64) + [nil])
        #expect(occupancy.current == 66)
        #expect(self.metrics[.connections].value == 65)
        #expect(self.metrics.connectionsAccepted.value == 67)
        #expect(self.metrics.connectionsOpen.value == 66)
        #expect(!occupancy.waitUntilEmpty(.now()))
        // Those that linger after a refusal take no room from those that could be served.
        occupancy.leave(.served(.ipv4(1)))
        #expect(occupancy.enter(from: .ipv4(1), isSecure: isSecure) == .served(.ipv4(1)))
        #expect(occupancy.enter(from: .ipv4(1), isSecure: isSecure) == nil)
        for place in places { place.map(occupancy.leave) }
        #expect(occupancy.current == 0)
        #expect(self.metrics.connectionsOpen.value == 0)
        #expect(occupancy.waitUntilEmpty(.now()))
    }

    @Test("An address has its share; others, and those without an address, are served all the same")
    func limitPerAddress() {
        let occupancy = self.occupancy(10, perAddress: 2)
        for _ in 0..<2 { #expect(occupancy.enter(from: .ipv4(1), isSecure: false) == .served(.ipv4(1))) }
        #expect(occupancy.enter(from: .ipv4(1), isSecure: false) == .refused)
        #expect(occupancy.enter(from: .ipv6(network: 1), isSecure: false) == .served(.ipv6(network: 1)))
        for _ in 0..<3 { #expect(occupancy.enter(from: nil, isSecure: false) == .served(nil)) }
        #expect(self.metrics[.connectionsPerAddress].value == 1)
        #expect(self.metrics[.connections].value == 0)
        occupancy.leave(.served(.ipv4(1)))
        #expect(occupancy.enter(from: .ipv4(1), isSecure: false) == .served(.ipv4(1)))
        // No handshake is made to say no to it.
        #expect(occupancy.enter(from: .ipv4(1), isSecure: true) == nil)
    }

    @Test("Addresses: one for an IPv4 client however it comes, one for an IPv6 network of 64 bits")
    func addresses() throws {
        #expect(try Self.address("::ffff:192.0.2.7") == .ipv4(inet_addr("192.0.2.7")))
        #expect(try Self.address("2001:db8:1:2:3:4:5:6") == Self.address("2001:db8:1:2::"))
        #expect(try Self.address("2001:db8:1:2::") != Self.address("2001:db8:1:3::"))
        var ipv4 = sockaddr_in()
        ipv4.sin_family = sa_family_t(AF_INET)
        ipv4.sin_addr.s_addr = inet_addr("192.0.2.7")
        #expect(PeerAddress(Self.storage(of: ipv4)) == .ipv4(inet_addr("192.0.2.7")))
        var unix = sockaddr_un()
        unix.sun_family = sa_family_t(AF_UNIX)
        #expect(PeerAddress(Self.storage(of: unix)) == nil)
    }

    private static func address(_ text: String) throws -> PeerAddress {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        try #require(inet_pton(AF_INET6, text, &address.sin6_addr) == 1)
        return try #require(PeerAddress(Self.storage(of: address)))
    }

    private static func storage<Address>(of address: Address) -> sockaddr_storage {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { storage in
            withUnsafeBytes(of: address) { storage.copyMemory(from: $0) }
        }
        return storage
    }
}
