import COpenSSL
import CSystem
import Glibc

/// Lets the library read from and write to a socket that never waits. Its own way of doing so would raise SIGPIPE when
/// the client has gone.
enum SocketBIO {
    /// Made once; it lives as long as the process.
    private nonisolated(unsafe) static let method = makeMethod()

    /// - Parameter descriptor: must stay open as long as the BIO is used.
    static func make(_ descriptor: Int32) -> OpaquePointer? {
        guard let method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, UnsafeMutableRawPointer(bitPattern: Int(descriptor) + 1))
        BIO_set_init(bio, 1)
        return bio
    }

    /// The descriptor is kept as a pointer; 1 is added because 0 would be none.
    private static func descriptor(of bio: OpaquePointer?) -> Int32 {
        Int32(Int(bitPattern: BIO_get_data(bio)) - 1)
    }

    private static func makeMethod() -> OpaquePointer? {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "normserve socket") else {
            return nil
        }
        BIO_meth_set_read_ex(method) { bio, bytes, capacity, count in
            openssl_clear_retry(bio)
            let received = Self.retrying { recv(Self.descriptor(of: bio), bytes, capacity, 0) }
            count?.pointee = max(received, 0)
            if received == 0 { BIO_set_flags(bio, BIO_FLAGS_IN_EOF) }
            if received < 0, errno == EAGAIN { openssl_set_retry_read(bio) }
            return received > 0 ? 1 : 0
        }
        BIO_meth_set_write_ex(method) { bio, bytes, size, count in
            openssl_clear_retry(bio)
            let sent = Self.retrying { send(Self.descriptor(of: bio), bytes, size, Int32(MSG_NOSIGNAL)) }
            count?.pointee = max(sent, 0)
            if sent < 0, errno == EAGAIN { openssl_set_retry_write(bio) }
            return sent > 0 ? 1 : 0
        }
        BIO_meth_set_ctrl(method) { bio, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH: 1
            case BIO_CTRL_EOF: BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0
            default: 0
            }
        }
        return method
    }

    private static func retrying(_ call: () -> Int) -> Int {
        while true {
            let count = call()
            if count >= 0 || errno != EINTR { return count }
        }
    }
}
