import Glibc
import HTTPCore

extension HTTPOutput {
    /// No call hands more pieces to the system.
    private static let maxPieces = 16

    /// Calls `body` with the pieces that are not yet sent, at most `maxPieces` and `maxBytes` of them.
    func withUnsentPieces<Result>(
        maxBytes: Int,
        _ body: (UnsafeMutableBufferPointer<iovec>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.maxPieces) { vector in
            self.gather(from: self.piece, offset: self.offset, maxBytes: maxBytes, into: vector, count: 0, body)
        }
    }

    /// Adds one piece, whose memory is pinned for the rest, and goes on with the next.
    private func gather<Result>(
        from piece: Int,
        offset: Int,
        maxBytes: Int,
        into vector: UnsafeMutableBufferPointer<iovec>,
        count: Int,
        _ body: (UnsafeMutableBufferPointer<iovec>) -> Result
    ) -> Result {
        guard piece <= self.body.count, count < vector.count, maxBytes > 0 else {
            return body(UnsafeMutableBufferPointer(rebasing: vector[..<count]))
        }
        return self.withBytes(of: piece) { bytes in
            let length = min(bytes.count - offset, maxBytes)
            var next = count
            if length > 0 {
                // sendmsg(2) only reads through the pointer.
                let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                vector[count] = iovec(iov_base: base.map { $0 + offset }, iov_len: length)
                next += 1
            }
            return self.gather(
                from: piece + 1,
                offset: 0,
                maxBytes: maxBytes - length,
                into: vector,
                count: next,
                body
            )
        }
    }

    private func withBytes<Result>(of piece: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard piece > 0 else { return self.head.withUnsafeBytes(body) }
        switch self.body[piece - 1] {
        case .bytes(let bytes): return bytes.withUnsafeBytes(body)
        case .buffer(let buffer, let range): return body(UnsafeRawBufferPointer(buffer[range]))
        }
    }
}
