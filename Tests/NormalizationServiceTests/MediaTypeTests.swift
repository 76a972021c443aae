import Testing

@testable import NormalizationService

@Suite struct MediaTypeTests {
    @Test(arguments: [
        ("application/json", MediaType.json), ("Application/JSON; charset=utf-8", .json),
        (" application/octet-stream ", .binary), ("application/json;", .json),
        ("application/x-npy", .npy), ("Application/X-SafeTensors", .safetensors),
    ])
    func contentTypesAreReadWithoutTheirParameters(value: String, type: MediaType) {
        #expect(MediaType(contentType: value) == type)
    }

    @Test(arguments: ["", "text/plain", "application", "application/jsonx", "application/x-npz", "application/npy"])
    func otherContentTypesAreNone(value: String) {
        #expect(MediaType(contentType: value) == nil)
    }

    @Test(
        "RFC 9110 §12.5.1: quality and specificity decide, the request's own type breaks ties",
        arguments: [
            (nil, MediaType.binary), ("", .binary), ("*/*", .binary), ("application/*", .binary),
            ("application/json", .json), ("application/json, */*;q=0.5", .json),
            ("application/json;q=0.5, application/octet-stream;q=0.4", .json),
            ("application/json;q=0.5, */*", .binary),
            ("application/octet-stream;q=0, */*;q=0.1", .json),
            ("text/html, application/*;q=0.1", .binary),
            ("application/json;version=1;q=0, application/json", .json), ("application/json;charset=utf-8", .json),
            ("application/json;q=0x1, application/octet-stream;q=0.001", .binary), ("application/json;q=1.", .json),
            ("application/json;q=1.5, */*;q=0.5", .binary),
            ("application/x-npy;q=0.5, application/x-safetensors", .safetensors), ("application/x-npy", .npy),
            ("text/html", nil), ("*/*;q=0", nil), ("application/json;q=0", nil),
        ] as [(String?, MediaType?)]
    )
    func negotiation(accept: String?, expected: MediaType?) {
        #expect(MediaType.negotiate(accept: accept, preferred: .binary) == expected)
    }

    @Test func anAcceptThatMakesNoSenseIsNoWish() {
        #expect(MediaType.negotiate(accept: "json", preferred: .json) == .json)
    }

    @Test func aListLongerThanAnyClientsIsNoWish() {
        let others = { (count: Int) in String(repeating: "text/html, ", count: count) + "application/json" }
        #expect(MediaType.negotiate(accept: others(63), preferred: .binary) == .json)
        #expect(MediaType.negotiate(accept: others(64), preferred: .binary) == .binary)
    }
}
