import Glibc

/// The target that the executable is called as: all of them are one executable under several names, which is built once.
private nonisolated(unsafe) var target: FuzzTarget?

/// Called by libFuzzer before anything else. Under any other name than a target's the executable lists these.
@_cdecl("LLVMFuzzerInitialize")
public func chooseTarget(
    _ count: UnsafePointer<CInt>,
    _ arguments: UnsafePointer<UnsafePointer<UnsafePointer<CChar>>>
) -> CInt {
    let name = String(cString: arguments.pointee[0]).split(separator: "/").last
    target = FuzzTarget.all.first { $0.name == name ?? "" }
    if target == nil {
        for target in FuzzTarget.all { print(target.name) }
        exit(0)
    }
    return 0
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target?.run(UnsafeRawBufferPointer(start: bytes, count: count))
    } catch {
        preconditionFailure("the target could not be set up: \(error)")
    }
    return 0
}
