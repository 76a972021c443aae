import CSystem
import Glibc

/// Memory for one request body or one tensor: aligned to 64 bytes, so that a SIMD load never straddles a cache line.
///
/// A buffer has one owner at a time: the connection fills it, the layer normalizes it in place, the connection
/// sends it. The owners hand it on; they never touch it at the same time.
// @unchecked: the compiler cannot see that hand-over. Nothing in here is shared without it.
public final class AlignedBuffer: @unchecked Sendable {
    /// The alignment of `baseAddress` in bytes: a cache line, and the widest SIMD register.
    public static let alignment = 64

    /// The first byte.
    public private(set) var baseAddress: UnsafeMutableRawPointer

    /// The number of usable bytes from `baseAddress` on.
    public private(set) var capacity: Int

    /// From this size on memory comes from the kernel directly: it costs nothing until it is touched, grows by
    /// remapping instead of copying, and goes back at once when it is released.
    private static let mappingThreshold = 1 << 20

    private static let hugePageThreshold = 4 << 20

    private static let hugePageSize = 2 << 20

    private var isMapped: Bool

    private var usesHugePages: Bool

    /// From this size on memory is held against the budget on whose account it was allocated.
    private static let countingThreshold = 64 << 10

    private let budget: MemoryBudget?

    /// What is held against the budget, in bytes.
    private var countedBytes = 0

    /// Allocates uninitialized memory, on account of the current budget if there is one.
    ///
    /// - Parameters:
    ///   - capacity: how many bytes at least; 0 is allowed.
    ///   - usesHugePages: whether the first touch may take 2 MiB at once, which is good for who will use all of it.
    public init(capacity: Int, usesHugePages: Bool = true) throws(AllocationError) {
        precondition(capacity >= 0, "a capacity is not negative")
        self.budget = MemoryBudget.current
        self.usesHugePages = usesHugePages
        (self.baseAddress, self.capacity, self.isMapped) = try Self.allocate(capacity, usesHugePages: usesHugePages)
        try self.count(self.capacity)
    }

    deinit {
        self.budget?.release(self.countedBytes)
        Self.release(self.baseAddress, self.capacity, isMapped: self.isMapped)
    }

    /// Holds memory of this capacity against the budget.
    private func count(_ capacity: Int) throws(AllocationError) {
        guard let budget, capacity >= Self.countingThreshold else { return }
        guard budget.reserve(capacity - self.countedBytes) else { throw AllocationError(byteCount: capacity) }
        self.countedBytes = capacity
    }

    /// Grows the buffer to at least `minimumCapacity` bytes. The contents stay; the address may change.
    public func reserve(_ minimumCapacity: Int) throws(AllocationError) {
        guard minimumCapacity > self.capacity else { return }
        try self.count(minimumCapacity)
        if self.isMapped {
            let size = try Self.roundedToPage(minimumCapacity)
            guard let moved = system_remap(self.baseAddress, self.capacity, size), moved != MAP_FAILED
            else { throw AllocationError(byteCount: minimumCapacity) }
            self.baseAddress = moved
            self.capacity = size
        } else {
            let (address, capacity, isMapped) = try Self.allocate(minimumCapacity, usesHugePages: self.usesHugePages)
            address.copyMemory(from: self.baseAddress, byteCount: self.capacity)
            Self.release(self.baseAddress, self.capacity, isMapped: false)
            (self.baseAddress, self.capacity, self.isMapped) = (address, capacity, isMapped)
        }
    }

    /// Asks for huge pages from now on, if the buffer was to do without them and is large enough.
    public func useHugePages() {
        guard !self.usesHugePages else { return }
        self.usesHugePages = true
        if self.isMapped, self.capacity >= Self.hugePageSize {
            _ = madvise(self.baseAddress, self.capacity, MADV_HUGEPAGE)
        }
    }

    /// The bytes of `range`, which lies within the capacity. They are valid while the buffer is kept alive and
    /// is not grown.
    public subscript(range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= self.capacity, "the range lies within the buffer")
        return UnsafeMutableRawBufferPointer(start: self.baseAddress + range.lowerBound, count: range.count)
    }

    private static func allocate(
        _ capacity: Int,
        usesHugePages: Bool
    ) throws(AllocationError) -> (UnsafeMutableRawPointer, capacity: Int, isMapped: Bool) {
        if capacity >= Self.mappingThreshold {
            let size = try Self.roundedToPage(capacity)
            guard
                let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                address != MAP_FAILED
            else { throw AllocationError(byteCount: capacity) }
            // A hint only: fewer page faults where the kernel has huge pages, no harm where it has none.
            if !usesHugePages, size >= Self.hugePageSize {
                _ = madvise(address, size, MADV_NOHUGEPAGE)
            } else if size >= Self.hugePageThreshold {
                _ = madvise(address, size, MADV_HUGEPAGE)
            }
            return (address, size, true)
        }
        let size = max(capacity, Self.alignment)
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, Self.alignment, size) == 0, let address else {
            throw AllocationError(byteCount: capacity)
        }
        return (address, size, false)
    }

    private static func release(_ address: UnsafeMutableRawPointer, _ capacity: Int, isMapped: Bool) {
        if isMapped {
            munmap(address, capacity)
        } else {
            free(address)
        }
    }

    private static func roundedToPage(_ size: Int) throws(AllocationError) -> Int {
        let page = Int(getpagesize())
        let (padded, overflow) = size.addingReportingOverflow(page - 1)
        guard !overflow else { throw AllocationError(byteCount: size) }
        return padded / page * page
    }
}
