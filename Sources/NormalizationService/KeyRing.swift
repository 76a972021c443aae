import COpenSSL

/// The keys of one file. Only their digests are kept, which nobody can turn back into keys.
public struct KeyRing: Sendable {
    /// The digests, one after the other.
    private let digests: [UInt8]

    /// The number of keys.
    public var count: Int { self.digests.count / KeyDigest.byteCount }

    /// Reads the content of a key file: one key a line. Blank lines and lines that begin with `#` count for nothing;
    /// lines may end with CRLF.
    public init(file: [UInt8]) throws(KeyFileError) {
        var digests: [UInt8] = []
        let lines = file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let isBlank = text.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard !isBlank, text.first != UInt8(ascii: "#") else { continue }
            guard BearerToken.isToken(text) else { throw .invalidKey(line: index + 1) }
            digests += KeyDigest(text).bytes
        }
        guard !digests.isEmpty else { throw .noKey }
        self.digests = digests
    }

    /// Whether the key of this digest is one of these.
    ///
    /// The time depends on the number of keys only: not on where the digests differ, which of them is equal, or whether
    /// any is. The lengths of the keys do not come into it.
    func contains(_ digest: KeyDigest) -> Bool {
        var found: UInt32 = 0
        self.digests.withUnsafeBytes { digests in
            digest.bytes.withUnsafeBytes { wanted in
                for start in stride(from: 0, to: digests.count, by: KeyDigest.byteCount) {
                    let key = UnsafeRawBufferPointer(rebasing: digests[start..<start + KeyDigest.byteCount])
                    let difference = CRYPTO_memcmp(key.baseAddress, wanted.baseAddress, KeyDigest.byteCount)
                    // 1 for 0, and 0 for any other byte, without a branch.
                    found |= (UInt32(bitPattern: difference) &- 1) >> 31
                }
            }
        }
        return found != 0
    }
}

/// The SHA-256 of a key.
struct KeyDigest {
    static let byteCount = Int(SHA256_DIGEST_LENGTH)

    let bytes: [UInt8]

    init(_ key: some Sequence<UInt8>) {
        let key = Array(key)
        self.bytes = Array(unsafeUninitializedCapacity: Self.byteCount) { digest, count in
            guard EVP_Digest(key, key.count, digest.baseAddress, nil, EVP_sha256(), nil) == 1 else {
                preconditionFailure("libcrypto has SHA-256")
            }
            count = Self.byteCount
        }
    }
}

/// Why the content of a file is not a list of keys. Never holds any of it.
public enum KeyFileError: Error, Equatable {
    /// Nothing but blank lines and comments.
    case noKey
    /// A line that is no `b64token` (RFC 6750 §2.1); the first one is 1.
    case invalidKey(line: Int)
}

extension KeyFileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noKey: "holds no key; it must have one a line"
        case .invalidKey(let line): "line \(line) is not a key; it must be letters, digits and -._~+/, then maybe ="
        }
    }
}
