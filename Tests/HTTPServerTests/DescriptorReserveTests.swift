import Glibc
import Testing

@testable import HTTPServer

@Suite("The last descriptors")
struct DescriptorReserveTests {
    @Test("The last sixteen are not for connections")
    func reserve() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = Int32(clamping: limit.rlim_cur)
        #expect(!DescriptorReserve.contains(count - 17))
        #expect(DescriptorReserve.contains(count - 16))
        #expect(DescriptorReserve.contains(count))
        // The tests use a few only.
        #expect(!DescriptorReserve.isNext(after: STDERR_FILENO))
        // What is not open cannot be asked about; nothing is opened then.
        #expect(DescriptorReserve.isNext(after: -1))
    }
}
