import AlignedMemory
import Glibc
import Testing

@Suite struct AlignedBufferTests {
    @Test(arguments: [0, 1, 63, 64, 65, 1 << 20, (1 << 20) + 1, 5 << 20])
    func everySizeIsAlignedAndWritable(size: Int) throws {
        let buffer = try AlignedBuffer(capacity: size)
        #expect(Int(bitPattern: buffer.baseAddress) % AlignedBuffer.alignment == 0)
        #expect(buffer.capacity >= size)
        let bytes = buffer[0..<size]
        for index in bytes.indices {
            bytes[index] = UInt8(truncatingIfNeeded: index)
        }
        #expect(bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0) })
    }

    @Test(arguments: [(10, 100), (100, 1 << 20), (1 << 20, 1 << 23), (0, 3 << 20)])
    func growingKeepsTheContentsAndTheAlignment(from small: Int, to large: Int) throws {
        let buffer = try AlignedBuffer(capacity: small)
        for index in 0..<small {
            buffer[index..<index + 1][0] = UInt8(truncatingIfNeeded: index &* 31)
        }
        try buffer.reserve(large)
        #expect(buffer.capacity >= large)
        #expect(Int(bitPattern: buffer.baseAddress) % AlignedBuffer.alignment == 0)
        let bytes = buffer[0..<small]
        #expect(bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0 &* 31) })
    }

    @Test func reservingLessChangesNothing() throws {
        let buffer = try AlignedBuffer(capacity: 1000)
        let (address, capacity) = (buffer.baseAddress, buffer.capacity)
        try buffer.reserve(10)
        #expect(buffer.baseAddress == address)
        #expect(buffer.capacity == capacity)
    }

    @Test(arguments: [1 << 62, Int.max])
    func moreThanThereIsIsAnErrorThatNamesTheSize(size: Int) throws {
        #expect(throws: AllocationError(byteCount: size)) { try AlignedBuffer(capacity: size) }
        let buffer = try AlignedBuffer(capacity: 1 << 20)
        #expect(throws: AllocationError(byteCount: size)) { try buffer.reserve(size) }
        #expect(buffer.capacity == 1 << 20)
    }

    @Test func largeBuffersAreHeldAgainstTheBudgetUntilTheyAreFreed() throws {
        let budget = MemoryBudget(limit: 5 << 20)
        try MemoryBudget.$current.withValue(budget) {
            let small = try AlignedBuffer(capacity: 1_000)
            #expect(budget.usedBytes == 0)
            var large: AlignedBuffer? = try AlignedBuffer(capacity: 4 << 20)
            #expect(budget.usedBytes == 4 << 20)
            #expect(throws: AllocationError(byteCount: 2 << 20)) { try AlignedBuffer(capacity: 2 << 20) }
            #expect(throws: AllocationError(byteCount: 2 << 20)) { try small.reserve(2 << 20) }
            #expect(throws: AllocationError(byteCount: 6 << 20)) { try large?.reserve(6 << 20) }
            #expect(budget.usedBytes == 4 << 20)
            try small.reserve(1 << 20)
            #expect(budget.usedBytes == 5 << 20)
            large = nil
            #expect(budget.usedBytes == 1 << 20)
            withExtendedLifetime(small) {}
        }
        #expect(budget.usedBytes == 0)
        #expect(MemoryBudget.current == nil)
    }

    @Test func aBudgetGivesNoMoreThanItHas() {
        let budget = MemoryBudget(limit: 100)
        #expect(budget.reserve(60))
        #expect(!budget.reserve(41))
        #expect(budget.reserve(40))
        budget.release(100)
        #expect(budget.usedBytes == 0)
    }

    /// How many bytes of the buffer's mapping are there.
    private func residentBytes(_ buffer: AlignedBuffer) throws -> Int {
        let page = Int(getpagesize())
        var states = [UInt8](repeating: 0, count: (buffer.capacity + page - 1) / page)
        try #require(mincore(buffer.baseAddress, buffer.capacity, &states) == 0)
        return states.count { $0 & 1 == 1 } * page
    }

    @Test("Without huge pages one touch takes one page, also of what was grown", arguments: [2 << 20, 8 << 20])
    func smallPages(size: Int) throws {
        let buffer = try AlignedBuffer(capacity: size, usesHugePages: false)
        let grown = try AlignedBuffer(capacity: 10, usesHugePages: false)
        try grown.reserve(size)
        // The first bytes were copied.
        #expect(try self.residentBytes(grown) == Int(getpagesize()))
        for buffer in [buffer, grown] {
            let before = try self.residentBytes(buffer)
            buffer[size / 2..<size][0] = 1
            #expect(try self.residentBytes(buffer) == before + Int(getpagesize()))
        }
    }

    @Test("Huge pages can be asked for later", arguments: [10, 1 << 20, 2 << 20, 9 << 20])
    func hugePagesLater(size: Int) throws {
        let buffer = try AlignedBuffer(capacity: size, usesHugePages: false)
        buffer[0..<1][0] = 7
        for _ in 0..<2 { buffer.useHugePages() }
        for index in stride(from: 1, to: size, by: 509) { buffer[0..<size][index] = UInt8(truncatingIfNeeded: index) }
        #expect(buffer[0..<1][0] == 7)
        try buffer.reserve(size * 2)
        #expect(buffer[0..<1][0] == 7)
        for index in stride(from: 1, to: size, by: 509) {
            #expect(buffer[0..<size][index] == UInt8(truncatingIfNeeded: index))
        }
    }
}
