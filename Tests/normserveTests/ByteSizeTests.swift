import Testing

@testable import normserve

@Suite struct ByteSizeTests {
    @Test(arguments: [("0", 0), ("65536", 65536), ("64KiB", 65536), ("256MiB", 256 << 20), ("2GiB", 2 << 30)])
    func sizes(text: String, bytes: Int) {
        #expect(ByteSize(text)?.bytes == bytes)
    }

    @Test(arguments: ["", "KiB", "-1", "+1", "1.5MiB", "1 MiB", "1MB", "1mib", "9223372036854775807KiB", "１MiB"])
    func whatIsNoSize(text: String) {
        #expect(ByteSize(text) == nil)
    }

    @Test(arguments: [0, 1, 1023, 1024, 1536, 1 << 20, 3 << 30])
    func theDescriptionReadsBack(bytes: Int) {
        let size = ByteSize(bytes: bytes)
        #expect(ByteSize(size.description) == size)
    }
}
