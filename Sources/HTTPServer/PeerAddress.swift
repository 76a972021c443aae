import Glibc

/// Where a connection comes from, as far as it tells one client from another.
enum PeerAddress: Hashable, Sendable {
    case ipv4(UInt32)
    /// The network of 64 bits that a client has to itself (RFC 6177).
    case ipv6(network: UInt64)

    /// - Returns: `nil` for a Unix socket, whose clients have no address.
    init?(_ address: sockaddr_storage) {
        switch Int32(address.ss_family) {
        case AF_INET:
            self = .ipv4(withUnsafeBytes(of: address) { $0.load(as: sockaddr_in.self).sin_addr.s_addr })
        case AF_INET6:
            let words = withUnsafeBytes(of: address) { bytes in
                withUnsafeBytes(of: bytes.load(as: sockaddr_in6.self).sin6_addr) { address in
                    (0..<4).map { address.load(fromByteOffset: $0 * 4, as: UInt32.self) }
                }
            }
            // RFC 4291 §2.5.5.2: ::ffff:a.b.c.d is an IPv4 client of a socket for both.
            let isMapped = words[0] == 0 && words[1] == 0 && words[2] == UInt32(0xFFFF).bigEndian
            self = isMapped ? .ipv4(words[3]) : .ipv6(network: UInt64(words[0]) << 32 | UInt64(words[1]))
        default:
            return nil
        }
    }
}
