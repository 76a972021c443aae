import Testing

@testable import normserve

@Suite struct LoopbackAddressTests {
    @Test(arguments: ["127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "localhost", "LOCALHOST"])
    func nobodyElseSees(host: String) {
        #expect(LoopbackAddress.contains(host))
    }

    @Test(arguments: [
        "0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "1::1", "::2", "fe80::1", "localhost.example", "127.0.0.1.example",
        "",
    ])
    func othersSee(host: String) {
        #expect(!LoopbackAddress.contains(host))
    }
}
